"""Plans by a language model: three questions, each checked (plan, refine, verify).

The stages follow the published curation (arXiv 2606.05121, "Hierarchical event curation"), the
prompts (`prompts/`) are our own. What the model answers is checked twice: against the schema, and
as a plan by the rules that hold for every planner; what is wrong is told back to it. At last the
model judges the plan as a reviewer, and what the reviewer rejects is planned again.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from string import Template

from harken.errors import HarkenError
from harken.soundflow.events import AMBIENCE, EVENTS
from harken.soundflow.plan.answer import WrongShape, read_json, schema_of
from harken.soundflow.plan.chat import Chat, Endpoint, Message
from harken.soundflow.plan.plan import (
    MAX_EVENTS,
    MAX_QUERY_WORDS,
    MIN_EVENTS,
    MIN_QUERY_WORDS,
    OTHER,
    SPEECH,
    Plan,
    PlannedEvent,
    Reason,
    Role,
    check,
    covered,
    faults,
)
from harken.soundflow.plan.scenes import SceneBook, scene_book

_NOTES = 12
"""So many notes about sounds one plan is made of."""
_PENDING = {Reason.QUERY, Reason.TAGS}
"""What a plan lacks until it is refined."""


@dataclass(frozen=True, slots=True)
class SubEvent:
    """An event as the first stage gives it; the fields mean what they do in `PlannedEvent`."""

    name: str
    label: str
    role: Role
    start_after: tuple[float, float]
    rough_duration_s: float
    description: str
    speaker: str
    addressed_to: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Answer of the first stage."""

    scene: str
    situation: str
    events: tuple[SubEvent, ...]
    orders: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Search:
    """How to find or make the sound of one event."""

    name: str
    query: str
    fallback_caption: str
    accept_tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refinement:
    """Answer of the second stage."""

    events: tuple[Search, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answer of the third stage."""

    accept: bool
    reasons: tuple[str, ...]


class LlmPlanner:
    """A `Planner` that asks a language model.

    Answers are kept on disk, so a plan that was made once is made again without a request, and
    equal seeds give equal plans as long as they are kept.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        notes: Sequence[str] = (),
        attempts: int = 3,
        token_cap: int = 200_000,
        cache: Path | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Args:
            endpoint: where to ask; the key is read from HARKEN_LLM_KEY and may be absent.
            notes: annotations of clips at hand, a dozen of which the seed draws for a plan; the
                names of all known sounds if empty.
            attempts: how often each question is asked, and how many plans the reviewer sees.
            token_cap: no question is asked once this planner has spent so many tokens.
            cache: folder of kept answers; `plans` in Harken's cache if None.
            pause: waits so many seconds before a failed request is repeated.

        Raises:
            HarkenError: a number is not positive.
        """
        self._chat = Chat(
            endpoint, attempts=attempts, token_cap=token_cap, cache=cache, pause=pause
        )
        self._book = scene_book()
        self._notes = tuple(notes) or tuple(kind.name for kind in EVENTS.values())
        self._attempts = attempts
        self.name = f"llm {endpoint.model}"

    @property
    def tokens(self) -> int:
        """Tokens spent so far by this planner."""
        return self._chat.tokens

    def plan(self, seed: int) -> Plan:
        """The plan of a seed, any whole number.

        Raises:
            HarkenError: no usable answer in all attempts, every plan was rejected, the endpoint
                refuses, or the tokens are spent; the message names the endpoint and the reason.
        """
        salt = f"seed {seed}"
        said = [_user(_plan_question(self._book, self._drawn_notes(seed)))]
        verdict = Verdict(False, ())
        for _ in range(self._attempts):
            draft = self._chat.ask(said, lambda text: self._read_draft(text, seed), salt)
            plan = self._refined(draft, salt)
            verdict = self._chat.ask([_user(_question("verify", plan, Verdict))], _verdict, salt)
            if verdict.accept:
                return check(plan, self._book.rules)
            said = [*said, *_rejected(draft, verdict)]
        raise HarkenError(
            f"{self._chat.endpoint}: the reviewer rejected all {self._attempts} plans for seed "
            f"{seed}, the last one because {'; '.join(verdict.reasons)}; try another seed or model"
        )

    def _drawn_notes(self, seed: int) -> list[str]:
        chooser = random.Random(f"harken notes {seed}")
        return chooser.sample(self._notes, min(_NOTES, len(self._notes)))

    def _read_draft(self, text: str, seed: int) -> Plan:
        draft = read_json(Draft, text)
        events = covered(
            [
                PlannedEvent(
                    **{**asdict(e), "start_after": e.start_after}, query="", accept_tags=()
                )
                for e in draft.events
            ]
        )
        # The model need not put ambient sounds first; the order of the others is what counts.
        first = [e for e in events if e.role == "ambient"]
        plan = Plan(
            scene=draft.scene,
            events=(*first, *(e for e in events if e.role != "ambient")),
            seed=seed,
            planner=self.name,
            situation=draft.situation,
            orders=draft.orders,
        )
        found = [f for f in faults(plan, self._book.rules) if f.reason not in _PENDING]
        if found:
            raise WrongShape("; ".join(map(str, found[:6])))
        return plan

    def _refined(self, draft: Plan, salt: str) -> Plan:
        def read(text: str) -> Plan:
            refinement = read_json(Refinement, text)
            names = [s.name for s in refinement.events]
            wanted = [e.name for e in draft.events]
            if sorted(names) != sorted(wanted):
                raise WrongShape(
                    f"events: the names are {', '.join(names)} instead of {', '.join(wanted)}"
                )
            found = {s.name: s for s in refinement.events}
            plan = replace(draft, events=tuple(self._with(e, found[e.name]) for e in draft.events))
            wrong = faults(plan, self._book.rules)
            if wrong:
                raise WrongShape("; ".join(map(str, wrong[:6])))
            return plan

        return self._chat.ask([_user(_question("refine", draft, Refinement))], read, salt)

    def _with(self, event: PlannedEvent, search: Search) -> PlannedEvent:
        # Models misspell the ontology now and then; the label's own tags are sure.
        tags = dict.fromkeys((*self._book.tags(event.label), *search.accept_tags))
        return replace(
            event,
            query=search.query,
            description=search.fallback_caption,
            accept_tags=tuple(tags)[:8] if search.accept_tags else (),
        )


def _verdict(text: str) -> Verdict:
    verdict = read_json(Verdict, text)
    if not verdict.accept and not verdict.reasons:
        raise WrongShape("reasons: name at least one if accept is false")
    return verdict


def _plan_question(book: SceneBook, notes: Sequence[str]) -> str:
    names = {label: kind.name for label, kind in EVENTS.items()}
    names |= {label: "a background" for label in AMBIENCE}
    names |= {SPEECH: "somebody talks", OTHER: "a sound that no other label names"}
    places = (f"- {name}: {', '.join(sorted(book.rules.excluded[name]))}" for name in book.scenes)
    question = _prompt("plan").substitute(
        places="\n".join(places),
        labels=", ".join(f"{label} ({name})" for label, name in names.items()),
        ambient=", ".join(sorted(book.rules.ambient_labels)),
        least=MIN_EVENTS,
        most=MAX_EVENTS,
        schema=schema_of(Draft),
    )
    return f"{question}\nNotes about sounds:\n" + "\n".join(f"- {note}" for note in notes)


def _question(stage: str, plan: Plan, answer: type[Refinement] | type[Verdict]) -> str:
    shown = {k: v for k, v in asdict(plan).items() if k not in ("seed", "planner")}
    return _prompt(stage).safe_substitute(
        least_words=MIN_QUERY_WORDS,
        most_words=MAX_QUERY_WORDS,
        schema=schema_of(answer),
        plan=json.dumps(shown, indent=1, ensure_ascii=False),
    )


def _rejected(draft: Plan, verdict: Verdict) -> list[Message]:
    events = [asdict(e) for e in draft.events]
    for event in events:
        del event["query"], event["accept_tags"]
    answer = {
        "scene": draft.scene,
        "situation": draft.situation,
        "events": events,
        "orders": draft.orders,
    }
    return [
        {"role": "assistant", "content": json.dumps(answer, ensure_ascii=False)},
        _user(
            f"A reviewer rejected this plan: {'; '.join(verdict.reasons)}. Make a better one and "
            "answer with the whole JSON object and nothing else."
        ),
    ]


def _user(content: str) -> Message:
    return {"role": "user", "content": content}


@cache
def _prompt(stage: str) -> Template:
    folder = resources.files("harken.soundflow.plan").joinpath("prompts")
    return Template(folder.joinpath(f"{stage}.txt").read_text("utf-8"))
