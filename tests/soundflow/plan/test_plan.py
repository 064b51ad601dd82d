"""A plan and what is wrong with one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import HarkenError
from harken.soundflow.plan.plan import (
    Plan,
    PlannedEvent,
    Reason,
    Rules,
    check,
    covered,
    faults,
    latest_end_s,
    timed,
)

RULES = Rules(
    ambient_labels=frozenset({"fan", "rain_storm", "waves", "ambience_town"}),
    excluded={"kitchen": frozenset({"waves"}), "seaside": frozenset()},
    apart=frozenset({frozenset({"waves", "printer"})}),
)


def event(name: str, label: str = "knock", role: str = "fg", **changes: object) -> PlannedEvent:
    made = PlannedEvent(
        name=name,
        label=label,
        role=role,  # type: ignore[arg-type]
        start_after=(1.0, 2.0),
        rough_duration_s=3.0,
        description="Somebody knocks on a wooden door.",
        query="knuckles on a wooden door",
        accept_tags=("Knock",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


FAN = event("fan", "fan", "ambient", start_after=(0.0, 0.0), rough_duration_s=60.0)
KETTLE, TEA = event("kettle", "boiling"), event("tea", "pouring")
GOOD = Plan("kitchen", (FAN, KETTLE, TEA), 1, "hand", orders=(("kettle", "tea"),))


def reasons(plan: Plan) -> set[Reason]:
    return {f.reason for f in faults(plan, RULES)}


def test_a_good_plan_is_given_back() -> None:
    assert faults(GOOD, RULES) == ()
    assert check(GOOD, RULES) is GOOD


TALK = {"label": "speech", "speaker": "mother", "addressed_to": "child"}


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((FAN, KETTLE), Reason.COUNT),
        ((FAN, *(event(f"knock_{i}", start_after=(0.0, 0.1)) for i in range(15))), Reason.COUNT),
        ((FAN, KETTLE, KETTLE), Reason.NAME),
        ((FAN, KETTLE, event("Tea time")), Reason.NAME),
        ((FAN, KETTLE, event("tea", "teapot")), Reason.LABEL),
        ((FAN, KETTLE, event("tea", role="front")), Reason.ROLE),
        ((FAN, KETTLE, event("bang", "glass_break", "bg")), Reason.ROLE),
        ((FAN, KETTLE, event("town", "ambience_town", "fg")), Reason.ROLE),
        ((FAN, KETTLE, event("other_fan", "fan", "bg")), Reason.ROLE),
        ((FAN, KETTLE, replace(FAN, name="door", label="door")), Reason.ROLE),
        ((FAN, KETTLE, event("tea", start_after=(2.0, 1.0))), Reason.GAP),
        ((FAN, KETTLE, event("tea", start_after=(-1.0, 1.0))), Reason.GAP),
        ((FAN, KETTLE, event("tea", start_after=(0.0, float("inf")))), Reason.GAP),
        ((FAN, KETTLE, event("tea", rough_duration_s=float("nan"))), Reason.DURATION),
        ((FAN, KETTLE, event("tea", rough_duration_s=0.0)), Reason.DURATION),
        ((FAN, KETTLE, event("tea", description=" ")), Reason.TEXT),
        ((FAN, KETTLE, event("tea", query="tea is poured")), Reason.QUERY),
        ((FAN, KETTLE, event("tea", query="word " * 13)), Reason.QUERY),
        ((FAN, KETTLE, event("tea", accept_tags=())), Reason.TAGS),
        ((FAN, KETTLE, event("tea", accept_tags=("Pour", ""))), Reason.TAGS),
        ((FAN, KETTLE, event("tea", speaker="mother")), Reason.TALK),
        ((FAN, KETTLE, event("hello", **{**TALK, "addressed_to": ""})), Reason.TALK),
        ((FAN, KETTLE, event("hello", **{**TALK, "addressed_to": "mother"})), Reason.TALK),
        ((KETTLE, TEA, event("knock")), Reason.NO_AMBIENT),
        ((replace(FAN, rough_duration_s=9.0), KETTLE, TEA), Reason.NOT_COVERED),
        ((replace(FAN, start_after=(0.0, 0.5)), KETTLE, TEA), Reason.NOT_COVERED),
        ((FAN, KETTLE, event("sea", "waves", "bg")), Reason.EXCLUSION),
    ],
)
def test_a_fault_is_named_and_is_the_only_one(
    events: tuple[PlannedEvent, ...], reason: Reason
) -> None:
    plan = replace(GOOD, events=events, orders=())
    assert reasons(plan) == {reason}
    with pytest.raises(HarkenError, match=f"hand for seed 1 .*{reason}"):
        check(plan, RULES)


def test_talk_with_a_speaker_and_somebody_addressed_is_good() -> None:
    assert reasons(replace(GOOD, events=(FAN, KETTLE, TEA, event("hello", **TALK)))) == set()


def test_a_plan_of_an_unknown_place_or_of_more_than_ten_minutes_is_wrong() -> None:
    assert reasons(replace(GOOD, scene="moon")) == {Reason.SCENE}
    long = [event(f"k{i}", start_after=(0.0, 60.0)) for i in range(10)]
    events = covered((FAN, *long))
    assert reasons(replace(GOOD, events=events, orders=())) == {Reason.DURATION}


def test_sounds_that_no_place_has_both_of_are_told_in_every_place() -> None:
    sea = replace(FAN, name="sea", label="waves")
    plan = Plan("seaside", (sea, KETTLE, event("page", "printer")), 1, "hand")
    (fault,) = faults(plan, RULES)
    assert fault.reason is Reason.EXCLUSION and fault.event == "page" and "'waves'" in fault.detail


BACK = {"role": "bg", "rough_duration_s": 6.0}


@pytest.mark.parametrize(
    ("events", "kept"),
    [
        ((FAN, KETTLE, TEA), True),
        ((FAN, TEA, KETTLE), False),
        ((FAN, KETTLE, replace(TEA, role="bg")), True),
        # The kettle beneath: from second 1 or 2 to 7 or 8, whatever the foreground does.
        ((FAN, replace(KETTLE, **BACK), event("knock"), TEA), False),
        ((FAN, replace(KETTLE, **BACK), event("knock", rough_duration_s=6.1), TEA), True),
        ((FAN, event("knock"), replace(KETTLE, **BACK), event("steps", "footsteps"), TEA), False),
        (
            (
                FAN,
                event("knock"),
                replace(KETTLE, **BACK),
                event("steps", "footsteps", rough_duration_s=6.0),
                TEA,
            ),
            True,
        ),
        ((FAN, event("knock"), replace(TEA, role="bg"), replace(KETTLE, role="bg")), False),
    ],
)
def test_an_order_holds_whatever_the_gaps_turn_out_to_be(
    events: tuple[PlannedEvent, ...], kept: bool
) -> None:
    found = reasons(replace(GOOD, events=events))
    assert found == (set() if kept else {Reason.ORDER})


def test_an_order_of_unknown_or_ambient_events_is_wrong() -> None:
    assert reasons(replace(GOOD, orders=(("kettle", "cake"),))) == {Reason.ORDER}
    assert reasons(replace(GOOD, orders=(("fan", "tea"),))) == {Reason.ORDER}


def test_times_follow_the_foreground_alone() -> None:
    events = (FAN, KETTLE, event("steps", "footsteps", "bg", rough_duration_s=9.0), TEA)
    assert timed(events, [0, 0, 0, 0]) == ((0, 60), (1, 4), (5, 14), (5, 8))
    assert timed(events, [0, 1, 0.5, 0]) == ((0, 60), (2, 5), (6.5, 15.5), (6, 9))
    assert latest_end_s(events) == 16


gaps = st.tuples(st.floats(0, 30), st.floats(0, 30)).map(lambda g: (min(g), max(g)))


@given(
    st.lists(
        st.tuples(st.sampled_from(["fg", "bg", "ambient"]), gaps, st.floats(0.1, 30)), max_size=8
    ),
    st.data(),
)
def test_whatever_the_gaps_turn_out_to_be_the_ambient_sound_covers_all(
    drawn: list[tuple[str, tuple[float, float], float]], data: st.DataObject
) -> None:
    events = [
        event(f"e{i}", "fan" if role == "ambient" else "knock", role, **times)
        for i, (role, gap, length) in enumerate(drawn)
        for times in [{"start_after": gap, "rough_duration_s": length}]
    ]
    made = covered([FAN, *events])
    shares = data.draw(st.lists(st.floats(0, 1), min_size=len(made), max_size=len(made)))
    times = timed(made, shares)
    assert times[0][0] == 0
    assert all(end <= times[0][1] + 1e-6 for _, end in times)
    assert [e.name for e in made] == ["fan", *(e.name for e in events)]


def test_covering_leaves_an_endless_event_to_the_check() -> None:
    events = covered((FAN, KETTLE, replace(TEA, rough_duration_s=float("inf"))))
    assert reasons(replace(GOOD, events=events)) == {Reason.DURATION}
