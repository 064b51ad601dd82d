"""What each sound is called, and what deserves to be said about it under which policy.

`name` is how a sound is narrated. `care` and `quiet` are the replies when it is heard unasked
under those policies; None means silence. `nouns` are the words people use to have it counted.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventKind:
    """One category of sounds."""

    name: str
    care: str | None = None
    quiet: str | None = None
    emotion: str = "normal"
    nouns: tuple[str, ...] = ()

    def reply(self, policy: str) -> tuple[str, str] | None:
        """Text and emotion due under a policy, or None for silence."""
        if policy == "narrate":
            return f"I hear {self.name}.", "normal"
        text = self.quiet if policy == "quiet" else self.care
        return (text, self.emotion) if text else None


def _danger(name: str, reply: str, *nouns: str) -> EventKind:
    return EventKind(name, reply, reply, "urgent", nouns)


def _concern(name: str, reply: str, *nouns: str, emotion: str = "normal") -> EventKind:
    return EventKind(name, reply, None, emotion, nouns)


def _plain(name: str, *nouns: str) -> EventKind:
    return EventKind(name, nouns=nouns)


EVENTS: dict[str, EventKind] = {
    "glass_break": _danger("glass breaking", "I heard glass breaking. Are you all right?"),
    "scream_human": _danger("a scream", "I heard a scream. Do you need help?", "scream"),
    "siren_or_fire_station": _danger("a siren", "I hear a siren nearby. Please be careful."),
    "alarm_clock_or_alarm": _danger("an alarm", "An alarm is going off. Please check it."),
    "smoke_alarm": _danger(
        "a smoke alarm",
        "A smoke alarm is going off. Check for fire and get out if you see smoke.",
    ),
    "gunshot": _danger(
        "gunshots", "That sounded like a gunshot. Please stay safe.", "shot", "bang"
    ),
    "explosion_firework": _danger("an explosion", "I heard an explosion. Are you safe?", "bang"),
    "human_pain_groan": _concern(
        "someone in pain", "Someone sounds hurt. Do you need help?", emotion="sad"
    ),
    "baby_cry": _concern("a baby crying", "A baby is crying. Someone should check on it."),
    "cough": _concern("coughing", "You are coughing. Some water may help.", "cough"),
    "sneeze": _concern("a sneeze", "Bless you! Are you catching a cold?", "sneeze"),
    "doorbell": _concern("a doorbell", "Someone is at the door.", "doorbell", "ring"),
    "knock": _concern("knocking", "Someone is knocking at the door.", "knock"),
    "dog_bark": _plain("a dog barking", "bark", "dog bark"),
    "cat_meow": _plain("a cat meowing", "meow"),
    "birds": _plain("birds", "chirp"),
    "footsteps": _plain("footsteps", "step", "footstep"),
    "keyboard_typing": _plain("typing on a keyboard"),
    "door": _plain("a door", "door"),
    "phone_ring": _plain("a phone ringing", "ring"),
    "cow_deer": _plain("a cow", "moo"),
    "horse": _plain("a horse", "neigh"),
    "sheep_goat": _plain("a sheep"),
    "pig": _plain("a pig"),
    "duck_goose": _plain("a duck", "quack"),
    "rooster_chicken": _plain("a rooster", "crow"),
    "water_flowing_bubbles": _plain("flowing water"),
    "water_drop": _plain("dripping water", "drip"),
    "splash": _plain("a splash", "splash"),
    "thunder_lightning": _plain("thunder", "thunder"),
    "wind": _plain("wind"),
    "rain_storm": _plain("rain"),
    "clock_tick": _plain("a clock ticking", "tick"),
    "bell_gong": _plain("a bell", "bell"),
    "train": _plain("a train"),
    "helicopter": _plain("a helicopter"),
    "airplane_jet_rocket": _plain("an aircraft"),
    "vehicle_engine_traffic": _plain("a vehicle"),
    "laughter": _plain("laughter", "laugh"),
    "applause_clap": _plain("applause", "clap"),
    "crowd_chatter": _plain("a crowd"),
    "music": _plain("music"),
    "instrument_music": _plain("a musical instrument"),
    "tools_hammer_saw": _plain("tools"),
    "camera_shutter": _plain("a camera", "click"),
    "crickets_insects": _plain("crickets"),
    "frog": _plain("a frog", "croak"),
    "owl": _plain("an owl", "hoot"),
    "wolf_howl_growl": _plain("a wolf howling", "howl"),
    "fire_crackle": _plain("a crackling fire"),
    "brass_horn": _plain("a horn", "honk", "horn"),
    "finger_snap": _plain("a finger snap", "snap"),
    "ui_notification": _plain("a notification sound", "beep", "notification"),
    "beep": _plain("a beep", "beep"),
    "machine_factory_appliance": _plain("a machine"),
    "buzzing_insect": _plain("an insect buzzing"),
}

AMBIENCE = ("ambience_machine", "ambience_town", "ambience_school_hospital")
"""Backgrounds: never worth a word, under any policy (each of `farm_animals` has a name)."""

HARMLESS_EXTRA = (
    "other_effect",
    "other_ui",
    "breaking_wood_metal",
    "wild_animal_other",
    "singing_vocal",
    "noise",
)
"""Clips without one clear name: silence under care and quiet, left out of narration."""


def kind_counted(order: str) -> list[str]:
    """Labels that a spoken counting order may mean, by the longest noun found in it."""
    text = order.lower()
    found = [
        (len(noun), label)
        for label, kind in EVENTS.items()
        for noun in kind.nouns
        if f" {noun}" in text
    ]
    longest = max((n for n, _ in found), default=0)
    return [label for n, label in found if n == longest]
