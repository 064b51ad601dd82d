"""What waits for a client, and when that is too much."""

import asyncio
import json

from harken.serve.outbox import Outbox


def test_events_leave_in_order_until_the_end() -> None:
    async def pass_through() -> list[object]:
        outbox = Outbox(1_000)
        taking = asyncio.create_task(outbox.take())
        await asyncio.sleep(0)
        for n in range(3):
            outbox.put({"n": n})
        outbox.end()
        return [await taking, await outbox.take(), await outbox.take(), await outbox.take()]

    *messages, end = asyncio.run(pass_through())
    assert [json.loads(str(message))["n"] for message in messages] == [0, 1, 2]
    assert end is None


def test_the_oldest_go_when_it_overflows() -> None:
    async def overflow() -> tuple[bool, bool, str | None]:
        outbox = Outbox(40)
        outbox.put({"n": "first event"})
        early = outbox.overflowed.is_set()
        outbox.put({"n": "second event, longer"})
        return early, outbox.overflowed.is_set(), await outbox.take()

    early, late, kept = asyncio.run(overflow())
    assert (early, late) == (False, True)
    assert kept is not None and "second" in kept
