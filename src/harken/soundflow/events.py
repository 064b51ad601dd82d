"""What each sound is called, and what deserves to be said about it under which policy.

`name` is how a sound is narrated. `care`, `quiet` and `bench` are the replies when it is heard
unasked under those policies; None means silence. `nouns` are the words people use to have it
counted.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventKind:
    """One category of sounds."""

    name: str
    care: str | None = None
    quiet: str | None = None
    bench: str | None = None
    emotion: str = "normal"
    nouns: tuple[str, ...] = ()

    def reply(self, policy: str) -> tuple[str, str] | None:
        """Text and emotion due under a policy, or None for silence."""
        if policy == "narrate":
            return f"I hear {self.name}.", "normal"
        text = {"quiet": self.quiet, "care": self.care, "bench": self.bench}[policy]
        return (text, self.emotion) if text else None


def _danger(name: str, reply: str, *nouns: str) -> EventKind:
    return EventKind(name, reply, reply, reply, "urgent", nouns)


def _concern(name: str, reply: str, *nouns: str, emotion: str = "normal") -> EventKind:
    return EventKind(name, reply, None, reply, emotion, nouns)


def _plain(name: str, *nouns: str, bench: str | None = None, emotion: str = "normal") -> EventKind:
    return EventKind(name, bench=bench, emotion=emotion, nouns=nouns)


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
    "phone_ring": _plain("a phone ringing", "ring", bench="Your phone is ringing."),
    "cow_deer": _plain("a cow", "moo"),
    "horse": _plain("a horse", "neigh"),
    "sheep_goat": _plain("a sheep"),
    "pig": _plain("a pig"),
    "duck_goose": _plain("a duck", "quack"),
    "rooster_chicken": _plain("a rooster", "crow"),
    "water_flowing_bubbles": _plain("flowing water"),
    "water_drop": _plain("dripping water", "drip"),
    "splash": _plain("a splash", "splash"),
    "thunder_lightning": _plain(
        "thunder",
        "thunder",
        bench="A thunderstorm is near. Stay inside and close the windows.",
        emotion="urgent",
    ),
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
    "wolf_howl_growl": _plain(
        "a wolf howling", "howl", bench="A wolf is howling. Keep your distance.", emotion="urgent"
    ),
    "fire_crackle": _plain(
        "a crackling fire", bench="I hear a fire burning. Is it under control?", emotion="urgent"
    ),
    "brass_horn": _plain("a horn", "honk", "horn"),
    "finger_snap": _plain("a finger snap", "snap"),
    "ui_notification": _plain("a notification sound", "beep", "notification"),
    "beep": _plain("a beep", "beep"),
    "machine_factory_appliance": _plain("a machine"),
    "buzzing_insect": _plain("an insect buzzing"),
    # Of these no recording is at hand: they are imagined (`harken.soundflow.imagined`).
    "crying": _concern(
        "someone crying", "Someone is crying. Is everything all right?", emotion="sad"
    ),
    "wheeze": _concern("wheezing", "You are wheezing. Do you need help?", "wheeze"),
    "snoring": _plain("snoring", "snore"),
    "breathing": _plain("someone breathing", "breath"),
    "throat_clearing": _plain(
        "someone clearing their throat", bench="Your throat sounds dry. Some water may help."
    ),
    "sniff": _plain("sniffing", "sniff", bench="You are sniffling. Do you need a tissue?"),
    "burp": _plain("a burp", "burp"),
    "hiccup": _plain("hiccups", "hiccup", bench="Hiccups? A glass of water may help."),
    "chewing": _plain("someone chewing"),
    "sigh": _plain(
        "a sigh", "sigh", bench="That was a deep sigh. Is something on your mind?", emotion="sad"
    ),
    "whistling": _plain("whistling", "whistle"),
    "singing": _plain("singing"),
    "cheering": _plain("cheering", "cheer"),
    "children": _plain("children playing"),
    "cat_purr": _plain("a cat purring"),
    "dog_growl": _plain(
        "a dog growling", "growl", bench="A dog is growling. Keep your distance.", emotion="urgent"
    ),
    "dog_whimper": _plain("a dog whimpering", bench="The dog is whimpering. It may need help."),
    "crow": _plain("a crow", "caw"),
    "hen": _plain("a hen", "cluck"),
    "turkey": _plain("a turkey", "gobble"),
    "goat": _plain("a goat"),
    "goose": _plain("a goose"),
    "pigeon": _plain("a pigeon"),
    "lion": _plain(
        "a lion roaring", "roar", bench="A lion is roaring. Keep your distance.", emotion="urgent"
    ),
    "hiss": _plain(
        "a hiss", "hiss", bench="Something is hissing. Please check it.", emotion="urgent"
    ),
    "mouse": _plain("a mouse"),
    "waves": _plain("waves"),
    "toilet": _plain("a toilet flushing", "flush"),
    "toothbrush": _plain("someone brushing their teeth"),
    "tap": _plain("a water tap", bench="The water is still running."),
    "pouring": _plain("something being poured"),
    "boiling": _plain("boiling water", bench="Something is boiling. Please check the stove."),
    "frying": _plain("something frying"),
    "chopping": _plain("someone chopping food"),
    "dishes": _plain("dishes"),
    "microwave": _plain("a microwave oven"),
    "blender": _plain("a blender"),
    "hair_dryer": _plain("a hair dryer"),
    "vacuum_cleaner": _plain("a vacuum cleaner"),
    "shaver": _plain("an electric shaver"),
    "fan": _plain("a fan"),
    "sewing_machine": _plain("a sewing machine"),
    "printer": _plain("a printer"),
    "typewriter": _plain("a typewriter"),
    "cash_register": _plain("a cash register"),
    "chainsaw": _plain("a chainsaw"),
    "lawn_mower": _plain("a lawn mower"),
    "drill": _plain("a drill"),
    "saw": _plain("a saw"),
    "hammer": _plain("a hammer", "hammer blow"),
    "jackhammer": _plain("a jackhammer"),
    "car_horn": _plain(
        "a car horn", "car horn", bench="A car is honking. Please watch out.", emotion="urgent"
    ),
    "motorcycle": _plain("a motorcycle"),
    "truck": _plain("a truck"),
    "bus": _plain("a bus"),
    "tyres": _plain(
        "squealing tyres", bench="Squealing tyres! Please be careful.", emotion="urgent"
    ),
    "boat": _plain("a motorboat"),
    "skateboard": _plain("a skateboard"),
    "bicycle_bell": _plain("a bicycle bell", "bicycle bell"),
    "foghorn": _plain("a foghorn", "foghorn"),
    "steam_whistle": _plain("a steam whistle", "steam whistle", bench="The kettle is whistling."),
    "fireworks": _plain("fireworks"),
    "zipper": _plain("a zipper"),
    "keys": _plain("keys jangling"),
    "coins": _plain("coins", "coin"),
    "scissors": _plain("scissors"),
    "writing": _plain("someone writing"),
    "paper": _plain("paper"),
    "leaves": _plain("rustling leaves"),
    "creak": _plain("a creak", "creak"),
    "squeak": _plain("a squeak", "squeak"),
    "drawer": _plain("a drawer"),
    "clink": _plain("a clink", "clink"),
    "wind_chime": _plain("wind chimes"),
    "mouse_click": _plain("clicking"),
    "spray": _plain("a spray"),
    "dialing": _plain("a phone being dialled"),
    "busy_tone": _plain("a busy tone"),
    "reversing": _plain(
        "a reversing beeper", bench="A vehicle is backing up. Please watch out.", emotion="urgent"
    ),
    "ball": _plain("a bouncing ball", "bounce"),
    "air_conditioner": _plain("an air conditioner"),
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
