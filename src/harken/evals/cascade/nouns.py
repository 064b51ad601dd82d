"""Which sounds an order means: the names and nouns of `EVENTS`, synonyms, and what Whisper hears.

A noun counts at the start of a word, so "barks" and "barking" are a bark; Chinese has no spaces
and counts anywhere. The longest noun decides: "doorbell" is more than "door".
"""

import difflib
import re

from harken.soundflow.events import EVENTS, kind_counted

SYNONYMS: dict[str, str] = {
    "glass_break": "glass, shatter, window break, 玻璃",
    "scream_human": "scream, shout, yell, 尖叫",
    "siren_or_fire_station": "siren, ambulance, police, fire engine, 警笛, 救护车, 警车",
    "alarm_clock_or_alarm": "alarm, 警报, 闹钟, 报警",
    "smoke_alarm": "smoke alarm, smoke detector, fire alarm, alarm, 烟雾, 警报, 报警",
    "gunshot": "shot, gun, bang, 枪",
    "explosion_firework": "explo, blast, bang, boom, 爆炸",
    "human_pain_groan": "groan, moan, in pain, hurt, 呻吟",
    "baby_cry": "baby, infant, 婴儿, 宝宝, 孩子哭",
    "cough": "cough, 咳",
    "sneeze": "sneez, 喷嚏",
    "doorbell": "doorbell, door bell, at the door, 门铃",
    "knock": "knock, 敲门",
    "dog_bark": "dog, bark, 狗",
    "cat_meow": "cat, meow, miaow, kitten, 猫",
    "birds": "bird, chirp, tweet, 鸟",
    "footsteps": "step, footstep, walk, footfall, 脚步",
    "keyboard_typing": "typing, types, keyboard, 键盘, 打字",
    "door": "door, 开门, 关门",
    "phone_ring": "phone, telephone, 电话, 手机",
    "cow_deer": "cow, moo, 牛",
    "horse": "horse, neigh, 马叫, 马",
    "sheep_goat": "sheep, lamb, bleat, 羊",
    "pig": "pig, oink, 猪",
    "duck_goose": "duck, quack, 鸭",
    "rooster_chicken": "rooster, cock, crow, 公鸡, 鸡叫",
    "water_flowing_bubbles": "flowing water, running water, stream, bubbl, 流水, 水流",
    "water_drop": "drip, drop, dripping, water is dripping, 滴水, 水滴",
    "splash": "splash, 溅",
    "thunder_lightning": "thunder, lightning, storm, 雷",
    "wind": "wind, 风",
    "rain_storm": "rain, 下雨, 雨",
    "clock_tick": "clock, tick, 钟表, 滴答",
    "bell_gong": "bell, gong, chime, 铃, 钟声",
    "train": "train, 火车",
    "helicopter": "helicopter, chopper, 直升机",
    "airplane_jet_rocket": "plane, aircraft, airplane, jet, 飞机",
    "vehicle_engine_traffic": "car, vehicle, engine, traffic, 汽车, 车",
    "laughter": "laugh, giggle, 笑",
    "applause_clap": "clap, applau, 掌声, 鼓掌, 拍手",
    "crowd_chatter": "crowd, 人群",
    "music": "music, song, 音乐",
    "instrument_music": "instrument, piano, guitar, drum, 乐器, 钢琴",
    "tools_hammer_saw": "tool, 工具",
    "camera_shutter": "camera, shutter, click, photo, 相机, 快门",
    "crickets_insects": "cricket, cicada, 蟋蟀",
    "frog": "frog, croak, 青蛙",
    "owl": "owl, hoot, 猫头鹰",
    "wolf_howl_growl": "wolf, wolves, howl, 狼",
    "fire_crackle": "crackling fire, fire crackl, fireplace, 火",
    "brass_horn": "horn, trumpet, honk, 喇叭, 号角",
    "car_horn": "car horn, car honk, honk, 喇叭",
    "finger_snap": "snap, 响指",
    "ui_notification": "notification, message, 通知, 提示音",
    "beep": "beep, bleep, 哔",
    "machine_factory_appliance": "machine, 机器",
    "buzzing_insect": "insect, buzz, bee, fly, mosquito, 蜜蜂, 蚊子, 苍蝇",
    "crying": "crying, cries, sobb, 哭",
    "snoring": "snor, 打鼾, 打呼",
    "steam_whistle": "kettle, steam whistle, 水壶",
    "whistling": "whistl, 口哨",
    "singing": "singing, sings, 唱歌",
    "hen": "hen, cluck, 母鸡",
    "vacuum_cleaner": "vacuum, hoover, 吸尘器",
    "toilet": "toilet, flush, 马桶",
    "fireworks": "firework, firecracker, 烟花, 鞭炮",
    "motorcycle": "motorbike, motorcycle, 摩托",
    "microwave": "microwave, 微波炉",
}
"""Words and beginnings of words, separated by commas."""

_MISHEARD = {
    "coffee": "cough", "cuff": "cough", "calf": "cough", "barc": "bark", "move": "moo",
    "new": "meow", "mew": "meow", "shock": "shot", "clout": "clap", "hood": "hoot",
}  # fmt: skip
"""What Whisper-base makes of short nouns at the end of an order, seen in train streams."""

_CLOSE = 0.75
"""How alike a word and a noun must be (`difflib`) when no noun was found."""


def counted_labels(order: str) -> frozenset[str]:
    """Labels that an order to count means; none when no noun is found in it."""
    text = _mended(order)
    exact = kind_counted(text)
    return frozenset(exact) if exact else meant_labels(text) or _alike(text)


def meant_labels(text: str) -> frozenset[str]:
    """Labels whose name or noun a text holds, by the longest one found."""
    text = _mended(text)
    found = [(len(w), label) for label, words in _words().items() for w in words if w in text]
    longest = max((n for n, _ in found), default=0)
    return frozenset(label for n, label in found if n == longest)


def _mended(text: str) -> str:
    """Lower case, one space before every word, misheard nouns put right."""
    text = " " + re.sub(r"[^\w\s]", " ", text.lower())
    text = re.sub(r"\s+", " ", text)
    for wrong, right in _MISHEARD.items():
        text = text.replace(f" {wrong}", f" {right}")
    return text


def _words() -> dict[str, list[str]]:
    """For each label what is looked for: with a space before it unless it is Chinese."""
    found: dict[str, list[str]] = {}
    for label, kind in EVENTS.items():
        name = re.sub(r"^(an?|the|someone|something) ", "", kind.name)
        listed = [name, *kind.nouns, *SYNONYMS.get(label, "").split(", ")]
        found[label] = [w if re.match(r"[一-鿿]", w) else f" {w}" for w in listed if w]
    return found


def _alike(text: str) -> frozenset[str]:
    """Labels of the noun that is most like a word of a text, if any is."""
    nouns = {noun: label for label, kind in EVENTS.items() for noun in kind.nouns}
    for word in text.split():
        if len(word) > 3 and (close := difflib.get_close_matches(word, nouns, 1, _CLOSE)):
            return frozenset(n for n, kind in EVENTS.items() if close[0] in kind.nouns)
    return frozenset()
