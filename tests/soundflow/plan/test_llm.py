"""The planner that asks a language model, against a real server on loopback.

The server speaks the chat-completions shape: it answers each request with the next of the replies a
test put down for the stage that was asked about, and keeps what it was sent.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harken.errors import HarkenError
from harken.soundflow.plan.chat import Endpoint
from harken.soundflow.plan.llm import LlmPlanner
from harken.soundflow.plan.plan import faults
from harken.soundflow.plan.scenes import scene_book

KEY = "key-of-a-test-0815"


def sub_event(name: str, label: str, role: str = "fg", **changes: object) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "role": role,
        "start_after": [0, 0] if role == "ambient" else [0.5, 2],
        "rough_duration_s": 3,
        "description": f"The sound of {name}.",
        "speaker": "",
        "addressed_to": "",
        **changes,
    }


DRAFT = {
    "scene": "kitchen",
    "situation": "Tea is made.",
    "events": [
        sub_event("kettle", "boiling"),
        sub_event("hum", "fan", "ambient"),
        sub_event("tea", "pouring"),
        sub_event("thanks", "speech", speaker="mother", addressed_to="son"),
    ],
    "orders": [["kettle", "tea"]],
}
REFINED = {
    "events": [
        {
            "name": e["name"],
            "query": f"clear recording of {e['name']}",
            "fallback_caption": f"One {e['name']} is heard close by on a stone worktop.",
            "accept_tags": ["Boiling"],
        }
        for e in DRAFT["events"]  # type: ignore[attr-defined]
    ]
}
ACCEPTED = {"accept": True, "reasons": []}
REJECTED = {"accept": False, "reasons": ["tea: nobody filled the kettle"]}


@dataclass
class Reply:
    """What the server answers: text in a completion, or a bare HTTP state and body."""

    text: str = ""
    tokens: int | None = 100
    state: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"


@dataclass
class Served:
    """One server: its address, the replies to come by stage, and the requests it got."""

    url: str
    plan: list[Reply] = field(default_factory=list)
    refine: list[Reply] = field(default_factory=list)
    verify: list[Reply] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def planner(self, cache: Path, **options: Any) -> LlmPlanner:
        endpoint = Endpoint(f"{self.url}/v1", "small", timeout_s=20)
        return LlmPlanner(endpoint, cache=cache, pause=self.pauses.append, **options)

    def reply(self, request: dict[str, Any]) -> Reply:
        self.requests.append(request)
        first = request["body"]["messages"][0]["content"]
        stage = "plan" if first.startswith("You plan") else "verify"
        stage = "refine" if "write down what helps to find" in first else stage
        return getattr(self, stage).pop(0)

    def said(self, index: int) -> str:
        """The last message of a request."""
        text = self.requests[index]["body"]["messages"][-1]["content"]
        assert isinstance(text, str)
        return text


def completion(reply: Reply) -> str:
    content: dict[str, Any] = {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": reply.text},
                "finish_reason": reply.finish,
            }
        ],
    }
    if reply.tokens is not None:
        content["usage"] = {"prompt_tokens": 1, "total_tokens": reply.tokens}
    return json.dumps(content)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HARKEN_LLM_KEY", KEY)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            request = {"path": self.path, "headers": dict(self.headers), "body": json.loads(raw)}
            reply = served.reply(request)
            body = (reply.body or completion(reply)).encode()
            self.send_response(reply.state)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Served(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def good(value: object, **options: Any) -> Reply:
    return Reply(json.dumps(value), **options)


@pytest.fixture
def ready(served: Served) -> Served:
    """A server that answers every stage well once, but for what a test changes."""
    served.plan, served.refine, served.verify = [good(DRAFT)], [good(REFINED)], [good(ACCEPTED)]
    return served


def test_three_good_answers_make_a_plan(ready: Served, tmp_path: Path) -> None:
    planner = ready.planner(tmp_path)
    plan = planner.plan(7)
    assert faults(plan, scene_book().rules) == ()
    assert (plan.scene, plan.seed, plan.planner) == ("kitchen", 7, "llm small")
    assert plan.situation == "Tea is made." and plan.orders == (("kettle", "tea"),)
    assert [e.name for e in plan.events] == ["hum", "kettle", "tea", "thanks"]
    hum, kettle, tea, thanks = plan.events
    assert hum.rough_duration_s >= 3 * (3 + 2), "stretched under everything"
    assert (kettle.query, kettle.accept_tags) == ("clear recording of kettle", ("Boiling",))
    assert tea.accept_tags == ("Pour", "Boiling"), "the label's own first"
    assert tea.description.startswith("One tea is heard")
    assert (thanks.speaker, thanks.addressed_to) == ("mother", "son")
    assert planner.tokens == 300 and not ready.pauses


def test_what_is_sent_is_a_chat_completion_in_json_mode(ready: Served, tmp_path: Path) -> None:
    ready.planner(tmp_path, notes=["a very odd squeak"]).plan(7)
    assert len(ready.requests) == 3
    for request in ready.requests:
        body = request["body"]
        assert request["path"] == "/v1/chat/completions"
        assert request["headers"]["Authorization"] == f"Bearer {KEY}"
        assert (body["model"], body["temperature"]) == ("small", 0.7)
        assert body["response_format"] == {"type": "json_object"}
        assert body["max_tokens"] == 4000
        assert "$" not in body["messages"][0]["content"].replace("$defs", "").replace("$ref", "")
    assert "a very odd squeak" in ready.said(0) and "glass_break (glass breaking)" in ready.said(0)
    assert '"kettle"' in ready.said(1) and "clear recording of tea" in ready.said(2)


def test_no_key_sends_none(ready: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARKEN_LLM_KEY")
    ready.planner(tmp_path).plan(7)
    assert "Authorization" not in ready.requests[0]["headers"]


def test_a_key_that_no_header_can_carry_is_named_and_not_shown(
    ready: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARKEN_LLM_KEY", f"{KEY}\nX-Other: 1")
    with pytest.raises(HarkenError, match="HARKEN_LLM_KEY has a character") as caught:
        ready.planner(tmp_path).plan(7)
    assert KEY not in str(caught.value) and not ready.requests
    monkeypatch.setenv("HARKEN_LLM_KEY", f"{KEY}\n")
    ready.planner(tmp_path).plan(7)
    assert ready.requests[0]["headers"]["Authorization"] == f"Bearer {KEY}"


def test_json_in_a_code_fence_is_read(ready: Served, tmp_path: Path) -> None:
    ready.plan = [Reply(f"Here you are:\n```json\n{json.dumps(DRAFT, indent=2)}\n```")]
    assert ready.planner(tmp_path).plan(1).scene == "kitchen"
    assert len(ready.requests) == 3


def without(name: str) -> dict[str, Any]:
    return {k: v for k, v in DRAFT.items() if k != name}


@pytest.mark.parametrize(
    ("nonsense", "told"),
    [
        (Reply("I would rather not."), "no JSON object"),
        (good(without("scene")), "scene: Field required"),
        (good({**DRAFT, "mood": "calm"}), "mood: Unexpected"),
        (good({**DRAFT, "scene": "moon"}), "unknown scene: 'moon' is not one of"),
        (good({**DRAFT, "orders": [["tea", "kettle"]]}), "order of kettle: may begin before tea"),
        (
            good({**DRAFT, "events": [*DRAFT["events"], sub_event("sea", "waves", "bg")]}),  # type: ignore[misc]
            "exclusion of sea: 'waves' does not belong in kitchen",
        ),
        (
            good({**DRAFT, "events": [sub_event(n, "knock") for n in "abc"], "orders": []}),
            "no ambient sound",
        ),
        (
            Reply(json.dumps(DRAFT).replace('"rough_duration_s": 3', '"rough_duration_s": 1e999')),
            "duration of kettle: inf",
        ),
    ],
)
def test_nonsense_is_told_back_and_asked_again(
    ready: Served, tmp_path: Path, nonsense: Reply, told: str
) -> None:
    ready.plan = [nonsense, good(DRAFT)]
    planner = ready.planner(tmp_path)
    assert planner.plan(1).scene == "kitchen"
    messages = ready.requests[1]["body"]["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant", "user"]
    assert messages[1]["content"] == nonsense.text and told in messages[2]["content"]
    assert planner.tokens == 400 and not ready.pauses


def test_a_refinement_of_other_events_is_told_back(ready: Served, tmp_path: Path) -> None:
    ready.refine = [good({"events": REFINED["events"][1:]}), good(REFINED)]
    assert ready.planner(tmp_path).plan(1).events[1].query == "clear recording of kettle"
    assert "instead of hum, kettle, tea, thanks" in ready.said(2)


def test_a_refinement_with_a_short_query_is_told_back(ready: Served, tmp_path: Path) -> None:
    short = {"events": [{**e, "query": "tea"} for e in REFINED["events"]]}
    ready.refine = [good(short), good(REFINED)]
    ready.planner(tmp_path).plan(1)
    assert "query of kettle: 'tea' has 1 words instead of 4 to 12" in ready.said(2)


def test_only_nonsense_ends_in_an_error_that_names_endpoint_and_reason(
    ready: Served, tmp_path: Path
) -> None:
    ready.plan = [Reply("Certainly!") for _ in range(4)]
    message = f"^small at {ready.url}/v1 gave no usable answer in 4 attempts.*no JSON.*Certainly"
    with pytest.raises(HarkenError, match=message):
        ready.planner(tmp_path, attempts=4).plan(1)
    assert len(ready.requests) == 4
    assert not list(tmp_path.rglob("*.json")), "nonsense is not kept"


def test_a_plan_the_reviewer_rejects_is_planned_again(ready: Served, tmp_path: Path) -> None:
    better = {**DRAFT, "situation": "The kettle was full."}
    ready.plan, ready.refine = [good(DRAFT), good(better)], [good(REFINED)] * 2
    ready.verify = [good(REJECTED), good(ACCEPTED)]
    assert ready.planner(tmp_path).plan(1).situation == "The kettle was full."
    assert "nobody filled the kettle" in ready.said(3)


def test_a_reviewer_who_rejects_everything_is_named(ready: Served, tmp_path: Path) -> None:
    ready.plan, ready.refine = [good(DRAFT)] * 2, [good(REFINED)]
    ready.verify = [good({**REJECTED, "reasons": []}), good(REJECTED)]
    with pytest.raises(HarkenError, match=r"small at .* rejected all 2 plans for seed 1.*nobody"):
        ready.planner(tmp_path, attempts=2).plan(1)


@pytest.mark.parametrize(
    ("failing", "pause_s"),
    [
        (Reply(state=500, body="out of memory"), 1.0),
        (Reply(state=429, body="slow down", headers={"Retry-After": "7"}), 7.0),
        (Reply(state=503, body="busy", headers={"Retry-After": "86400"}), 60.0),
        (Reply(body="<html>proxy</html>"), 1.0),
        (Reply(body='{"choices": []}'), 1.0),
        (Reply(""), 1.0),
        (Reply('{"scene": "kit', finish="length"), 1.0),
    ],
)
def test_a_failure_that_may_pass_is_waited_out(
    ready: Served, tmp_path: Path, failing: Reply, pause_s: float
) -> None:
    ready.plan = [failing, good(DRAFT)]
    assert ready.planner(tmp_path).plan(1).scene == "kitchen"
    assert ready.pauses == [pause_s]
    assert len(ready.requests[1]["body"]["messages"]) == 1, "the model did nothing wrong"


def test_a_server_that_always_fails_is_named(ready: Served, tmp_path: Path) -> None:
    ready.plan = [Reply(state=500, body="out of memory") for _ in range(3)]
    with pytest.raises(HarkenError, match=r"small at http.*3 attempts.*HTTP 500 out of memory"):
        ready.planner(tmp_path).plan(1)
    assert ready.pauses == [1.0, 2.0]


def test_a_server_that_is_not_there_is_named(tmp_path: Path, served: Served) -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1", "small", timeout_s=5)
    planner = LlmPlanner(endpoint, cache=tmp_path, attempts=1, pause=served.pauses.append)
    with pytest.raises(HarkenError, match=r"small at http://127.0.0.1:9/v1 gave .* no reply"):
        planner.plan(1)


@pytest.mark.parametrize(
    ("state", "advice"),
    [(401, "HARKEN_LLM_KEY"), (404, "check the address"), (400, "json_mode=False")],
)
def test_a_refusal_is_final_and_never_shows_the_key(
    ready: Served, tmp_path: Path, state: int, advice: str
) -> None:
    ready.plan = [Reply(state=state, body=f"bad request with {KEY}\nsorry")]
    with pytest.raises(HarkenError, match=f"refuses with HTTP {state}: .*{advice}") as caught:
        ready.planner(tmp_path).plan(1)
    assert KEY not in str(caught.value) and "\n" not in str(caught.value)
    assert len(ready.requests) == 1


def test_a_redirection_is_not_followed(ready: Served, tmp_path: Path) -> None:
    ready.plan = [Reply(state=302, body="moved", headers={"Location": f"{ready.url}/steal"})]
    with pytest.raises(HarkenError, match="HTTP 302"):
        ready.planner(tmp_path).plan(1)
    assert [r["path"] for r in ready.requests] == ["/v1/chat/completions"]


def test_over_the_cap_no_further_question_is_asked(ready: Served, tmp_path: Path) -> None:
    ready.plan = [good(DRAFT, tokens=900)]
    ready.refine = [good(REFINED, tokens=600)]
    planner = ready.planner(tmp_path, token_cap=1500)
    with pytest.raises(HarkenError, match=r"small at .*: 1500 tokens .* the cap is 1500"):
        planner.plan(1)
    assert [r["body"]["max_tokens"] for r in ready.requests] == [1500, 600]
    again = ready.planner(tmp_path, token_cap=1500)
    assert again.plan(1).scene == "kitchen", "what was paid for is kept"
    assert again.tokens == 100


def test_tokens_are_estimated_where_none_are_counted(ready: Served, tmp_path: Path) -> None:
    ready.plan = [good(DRAFT, tokens=None)]
    planner = ready.planner(tmp_path)
    planner.plan(1)
    size = len(ready.said(0))
    assert size / 4 < planner.tokens - 200 < size


def test_a_second_call_makes_no_request(ready: Served, tmp_path: Path) -> None:
    first = ready.planner(tmp_path).plan(7)
    again = ready.planner(tmp_path)
    assert again.plan(7) == first
    assert len(ready.requests) == 3 and again.tokens == 0
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) == 3 and all(p.suffix == ".json" for p in files), "no draft is left"
    assert not any(KEY in p.read_text() for p in files)


def test_another_seed_asks_anew(ready: Served, tmp_path: Path) -> None:
    planner = ready.planner(tmp_path)
    planner.plan(7)
    ready.plan, ready.refine, ready.verify = [good(DRAFT)], [good(REFINED)], [good(ACCEPTED)]
    planner.plan(8)
    assert len(ready.requests) == 6 and ready.said(0) != ready.said(3)


@pytest.mark.parametrize("damage", ["", "[]", '{"text": 3}', '{"text": "{}"}'])
def test_a_damaged_answer_on_disk_is_asked_for_again(
    ready: Served, tmp_path: Path, damage: str
) -> None:
    first = ready.planner(tmp_path).plan(7)
    for path in tmp_path.rglob("*.json"):
        path.write_text(damage)
    ready.plan, ready.refine, ready.verify = [good(DRAFT)], [good(REFINED)], [good(ACCEPTED)]
    assert ready.planner(tmp_path).plan(7) == first
    assert len(ready.requests) == 6
    assert ready.planner(tmp_path).plan(7) == first and len(ready.requests) == 6


def test_answers_are_kept_in_the_cache_of_harken(
    ready: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARKEN_CACHE", str(tmp_path))
    LlmPlanner(Endpoint(f"{ready.url}/v1/", "small")).plan(7)
    assert len(list((tmp_path / "plans").rglob("*.json"))) == 3
    assert ready.requests[0]["path"] == "/v1/chat/completions"


def test_a_server_without_json_mode_and_with_another_limit(ready: Served, tmp_path: Path) -> None:
    endpoint = Endpoint(
        f"{ready.url}/v1", "small", json_mode=False, limit_field="max_completion_tokens"
    )
    LlmPlanner(endpoint, cache=tmp_path).plan(7)
    body = ready.requests[0]["body"]
    assert "response_format" not in body and "max_tokens" not in body
    assert body["max_completion_tokens"] == 4000


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Endpoint("localhost:8000", "m"), "'localhost:8000' is no web address"),
        (lambda: Endpoint("http://[::1/v1", "m"), "is no web address"),
        (lambda: Endpoint("http://host:port/v1", "m"), "is no web address"),
        (lambda: Endpoint("http://me:secret@host/v1", "m"), "endpoint at host has a user name"),
        (lambda: Endpoint("http://localhost", ""), "no model is named"),
        (lambda: LlmPlanner(Endpoint("http://x", "m"), attempts=0), "attempts is 0"),
        (lambda: LlmPlanner(Endpoint("http://x", "m"), token_cap=0), "token_cap is 0"),
    ],
)
def test_wrong_settings_are_named(make: Any, message: str) -> None:
    with pytest.raises(HarkenError, match=message):
        make()
