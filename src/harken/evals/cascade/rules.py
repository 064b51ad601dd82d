"""What an utterance wants, by rules on its words: an order, a stop, a question, or nothing of us.

The cascade has no other way to tell whom a sentence is meant for. English and Chinese; the rules
were written against what Whisper made of train streams, mishearings included.
"""

import re
from dataclasses import dataclass
from typing import Literal

from harken.evals.cascade.nouns import counted_labels, meant_labels
from harken.soundflow.texts import is_chinese

OrderKind = Literal["count", "await", "narrate", "transcribe", "translate"]


@dataclass(frozen=True, slots=True)
class Order:
    """A standing order. labels: sounds counted or awaited; language: to translate into."""

    kind: OrderKind
    labels: frozenset[str] = frozenset()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """What an utterance wants.

    kind: order, stop, question (for the decoder), sound (what was just heard), told (a name to
    remember) or talk (nothing of us). about: whose name is told or asked for, "me" of who speaks;
    name: the one told.
    """

    kind: Literal["order", "stop", "question", "sound", "told", "talk"]
    order: Order | None = None
    about: str = ""
    name: str = ""


_TALK = Intent("talk")

_COUNT = re.compile(
    r"^([\w,]+ ){0,4}?(count|counting|can't) (the|every|each|how|all|them|\w+s\b|\w+ now)"
    r"|\b(say a|its|it's|tell me the|say the) number\b|^number (every|each|the)"
    r"|keep (track|count) of|count(er)?,? (them|it) as|how many .*count"
    r"|^how many \w+ (do|can) you hear"
    r"|数一数|数一下|数数|数每|计数|帮我数"
)
_AWAIT = re.compile(
    r"\b(tell me|warned me|warn me|alert me|notify me|let me know|speak up|say something"
    r"|give me a shout|shout) (as soon as|when|if|once|of|the moment)\b"
    r"|i want to know (when|if)|i('m| am) waiting for|stay quiet until|be quiet until"
    r"|^(when|if|as soon as) you hear .* (tell|let|say|warn)"
    r"|(了|时候|声).{0,3}(请|就|马上)?.{0,3}(告诉我|提醒我|叫我|通知我)|如果.*告诉我|听到.*(告诉我|提醒我)"
)
_NARRATE = re.compile(
    r"\b(describe|narrate|announce|report|mention|identify|name|explain|comment on|call out"
    r"|tell me about|let me know about|informed about|say the name of)\b"
    r".*\b(sounds?|noises?|surroundings|happens|hear|everything)\b"
    r"|\bnarrate\b|running commentary|be my ears"
    r"|(tell|telling) me (everything |what |all )+.*\b(hear|going on|sound)"
    r"|say what (each|every) sound|tell me each time something|what makes each sound"
    r"|keep (telling me|me posted)|i can't hear"
    r"|(描述|说出|告诉我).*(每一?个|周围|所有).*声|(描述|告诉我).*周围"
    r"|听到什么|听到了什么|神乐就告诉|有声音就说|数每一个声音|一直告诉我|树每一个声音"
)
_TRANSCRIBE = re.compile(
    r"transcri(be|bing|pt)|\bcaptions?\b|\bsubtitles?\b|dictat(e|ion)"
    r"|\b(write|right|note|type) (down|out)?\b ?.*\b(say|saying|sentences?|word|hear me say)\b"
    r"|^listen and write|write what i say|speech into text|words into writing"
    r"|people say .*(text|taxed)|notes of my words"
    r"|转写|字幕|听写|逐字|清竹字|自寄|记录.*(说|话)|写下|(写|记|起)下来|写成文字|我说你写"
)
_TRANSLATE = re.compile(
    r"translat(e|ing|ion|or)\b|\binterpret(er|ing)?\b"
    r"|\b(into|in|make it|it|my|the) (chinese|mandarin|english)\b|^chinese translation"
    r"|(翻译|翻一[成城尘]|翻成|塞一成|翻一|用.{0,3}(英[语文]|中文|汉语)|做我的.文)"
)
_INTO = (
    ("zh", re.compile(r"(into|to|in|it|an?|the|my|for|words?) (chinese|mandarin)")),
    ("en", re.compile(r"(into|to|in|it|an?|the|my|for) english")),
    ("en", re.compile(r"(翻译?一?[成城尘]|成|用|做我的|坐我的|开始)[^中汉]{0,2}英")),
    ("zh", re.compile(r"(翻译?一?[成城尘]|成|用|做我的|坐我的|开始)[^英]{0,2}[中汉]")),
    ("zh", re.compile(r"chinese|mandarin|汉语|中文")),
    ("en", re.compile(r"english|英[语文国]")),
)

_STOP = re.compile(
    r"^((ok(ay)?|all right|alright|thanks?|thank you|please|wait|hold on|well|we'll|then|now|hey"
    r"|all done|no|you can|so)[ ,.!]+)*"
    r"(stop( (it|now|that|there|the \w+|(talking|counting|transcribing|translating|interpreting"
    r"|listening|describing|narrating|telling|writing)( .*)?))?|enough|that's enough"
    r"|that is enough|that will do|that'll do|quiet|silence|be (quiet|silent)|shush|hush"
    r"|no more \w+|forget it|cancel (that|my last request|it)|drop it|not now|wait|hold on"
    r"|(you )?(don't|do not) need to( do that)?( any ?more)?|to do that any ?more|never mind"
    r"|shut up)([ ,.!]+(please|thanks|thank you|now|stop|wait|drop it|it|so far"
    r"|any ?more))*[ ,.!]*$"
)
_STOP_CHINESE = re.compile(
    r"^(好了?|行了|可以|请|谢谢|那)*(停|停下|停止.{0,3}|够了|不用.{0,6}|别[说数输翻记写译].{0,3}"
    r"|安静.{0,2}|算了|取消|可以了|闭嘴|不要.{0,4}了)(了|吧|来)?(谢谢|些些)?$|^可以[了那]?(谢谢|些些)$"
)

_TELLS = re.compile(
    r"^(he|she|they|we|the \w+|press)\b"
    r"|^(?!please|how|from|now|ok|hey|all|thanks|when|if|here)[\w ]+, (count|tell|let|say|write|把)"
    r"|^(?!我|从现在|现在|请|好)[\w ]{1,4},.*(把|写)|到了.*告诉我|(告诉我|提醒我), ?\w+$"
)
"""A report, an announcement, or an order with the name of whom it is for."""

_SOUND_ASKED = re.compile(
    r"(what|which) (sound|noise) (was|is)|what (was|is) that( sound| noise)?\b"
    r"|what (did|do) (i|you) just (hear|here)|did you (just )?hear that|what made (that|the)"
    r"|what that (sound|noise) was|什么声音|刚才是什么"
)

_NAME = re.compile(
    r"^(?i:(?:hi,? |hello,? |hey,? )?(?:my name is|please call me|call me|by the way,? i am|i am))"
    r" ([A-Z][a-z]+?)(?:'s)?(?i:,? by the way)?$"
)
_CALLED = re.compile(r"^(?i:my) (\w+)(?: is called|'s name is) ([A-Z][a-z]+?)(?:'s)?$")
_NAME_CHINESE = re.compile(r"^我(?:的名字)?叫(?!什么)(\w{1,3})$")
_NAME_ASKED = re.compile(r"\bmy name\b|^who am i\b|\bi am called\b|我叫什么|我的名字")
_CALLED_ASKED = re.compile(r"^(?:what is|what's|who is|who's) (?:the name of )?my (\w+)")

_ASKS = re.compile(
    r"^(please |so |and |now |hey |ok(ay)? )*"
    r"((in|on|at) )?(what|what's|who|who's|which|when|where|why|how"
    r"|name (a|an|one|the|two|three)|tell me|give me (a|an|one|some)"
    r"|explain|is (it|the|a|an|there)|are there|can (a|an|\w+s)|do \w+s|does"
    r"|could you (tell|explain)|can you (tell|explain|name)|do you (know|remember|still)"
    r"|please say|recommend|suggest|define|spell|say)\b"
)
_ASKS_CHINESE = re.compile(
    r"(吗|呢|什么|多少|几|哪|谁|怎么|为什么|如何|多[大高长远久快重]|是不是)|^(请?(给我|告诉我|讲|推荐|介绍))"
)
_ABOUT_ME = re.compile(r"\b(my|i|i'm|me)\b|我")
_TO_ANOTHER = re.compile(
    r"\b(you|your|yours|he|she|they|him|her|his|their|them|us|our|we|this|these|those|it's"
    r"|mum|mom|dad|grandma|grandpa|darling|honey|love|mate|sir|madam|sweetheart|kids|boys|girls"
    r"|everybody|everyone|anyone|anybody|somebody|tonight|tomorrow|yesterday)\b"
)
_ANYONE = re.compile(
    r"\b(do|can|should|must) (we|you) (get|use|call|find|breathe|need|make|say|live|see|have|eat)\b"
    r"|\bmakes? you\b|\b(when|if) you (mix|add|cut|heat|freeze)\b|\bdo we\b"
    r"|\b(do|does) they (use|speak|eat)\b"
)
"""You and we that mean people at large."""
_TO_US = re.compile(
    r"^(can|could) you (tell|explain|name|recommend)\b|^do you (know|still|remember my)\b"
    r"|^(how|who|what) are you\b|\b(should|can) i\b"
)
_AT_HOME = re.compile(
    r"\b(leaving|coming|at home|all right|still in|said)\b|^who wants\b|^how was\b"
    r"|\bback (at|in|on)\b"
)
"""What people ask each other about their day."""
_TO_ANOTHER_CHINESE = re.compile(
    r"他|她|我们|你们|咱|您|老王|妈|爸|爷|奶|孩子|吃了|下班|到家|吃饭了|^你(?!知道|记得|好|会|能告诉|是谁)"
)


def order_of(text: str) -> Order | None:
    """The standing order that a text gives, or None."""
    said = _plain(text)
    if _TRANSLATE.search(said) and (language := _language(said)):
        return Order("translate", language=language)
    if _COUNT.search(said) and "声音" not in said:
        return Order("count", counted_labels(said))
    if _NARRATE.search(said) and not _names_one(said):
        return Order("narrate")
    if _AWAIT.search(said) and (labels := meant_labels(said)):
        return Order("await", labels)
    if _TRANSCRIBE.search(said):
        return Order("transcribe")
    return None


def intent_of(text: str) -> Intent:
    """What an utterance wants of us."""
    said = _plain(text)
    if not said:
        return _TALK
    if is_stop(text):
        return Intent("stop")
    if _SOUND_ASKED.search(said):
        return Intent("sound")
    # Nobody gives an order in twenty words; people tell each other things in as many.
    order = order_of(text) if len(said.split()) <= 16 and not _TELLS.match(said) else None
    # To count people or plates is asked of somebody else.
    if order and (order.kind != "count" or order.labels):
        return Intent("order", order)
    bare = re.sub(r"[.!?。！？]+$", "", text.strip())
    if told := _NAME.match(bare) or _NAME_CHINESE.match(bare):
        return Intent("told", about="me", name=told[1])
    if told := _CALLED.match(bare):
        return Intent("told", about=told[1].lower(), name=told[2])
    if not _is_question(text, said):
        return _TALK
    called = _CALLED_ASKED.match(said)
    return Intent(
        "question", about="me" if _NAME_ASKED.search(said) else called[1] if called else ""
    )


def is_stop(text: str) -> bool:
    """Whether somebody who says this wants us to stop: nothing else is said along with it."""
    said = _plain(text)
    bare = re.sub(r"\W", "", said)
    if is_chinese(said):
        return _STOP_CHINESE.match(bare) is not None
    return len(said.split()) <= 9 and _STOP.match(said) is not None


def is_about_us(text: str) -> bool:
    """Whether who says this speaks of themselves: to be remembered, or asked of what was."""
    return _ABOUT_ME.search(_plain(text)) is not None


def _is_question(text: str, said: str) -> bool:
    """Whether somebody asks something that a stranger with a head for facts could answer."""
    if is_chinese(text):
        asks = _ASKS_CHINESE.search(said) is not None
        return asks and _TO_ANOTHER_CHINESE.search(said) is None
    if not _ASKS.match(said):
        return False
    if re.search(r", [A-Z]\w+[?.!]*$", text.strip()) or _AT_HOME.search(said):
        return False
    if _TO_US.search(said):
        return True
    if _TO_ANOTHER.search(_ANYONE.sub("", said)):
        return False
    return len(said.split()) >= 3


def _names_one(said: str) -> bool:
    """Whether a text awaits one kind of sound: "tell me when" rather than "tell me what"."""
    return _AWAIT.search(said) is not None and bool(meant_labels(said))


def _language(said: str) -> str:
    """Into which language to translate, en or zh; empty when a text does not say."""
    return next((language for language, into in _INTO if into.search(said)), "")


def _plain(text: str) -> str:
    """Lower case, single spaces, no punctuation but commas and apostrophes."""
    text = text.lower().replace("\u2019", "'").replace("，", ", ")
    return " ".join(re.sub(r"[^\w\s,']", " ", text).replace(" ,", ",").split())
