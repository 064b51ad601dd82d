"""The items of a Realtime conversation, the newest of them remembered."""

from collections import OrderedDict
from typing import Any

from harken.serve.dialects.dialect import ProtocolError

MOST_ITEMS = 1_000

Item = dict[str, Any]


class Items:
    """Items by id, in order; replies with the chunk that they follow."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, Item] = OrderedDict()
        self._chunks: dict[str, int] = {}
        self._count = 0

    def new_id(self) -> str:
        """An id for an item to come."""
        self._count += 1
        return f"item_{self._count}"

    @property
    def last_id(self) -> str | None:
        """The newest item, None before the first."""
        return next(reversed(self._items), None)

    @property
    def newest_chunk(self) -> int | None:
        """The chunk that the newest reply follows, None before the first."""
        return next(reversed(self._chunks.values()), None)

    def keep(self, item: Item, chunk: int | None = None) -> None:
        """Add an item, or put another in its place. chunk: that a reply follows."""
        self._items[item["id"]] = item
        if chunk is not None:
            self._chunks[item["id"]] = chunk
        while len(self._items) > MOST_ITEMS:
            gone, _ = self._items.popitem(last=False)
            self._chunks.pop(gone, None)

    def get(self, item_id: str) -> Item:
        """Raises ProtocolError for one that is not there, or no more."""
        if item_id not in self._items:
            raise ProtocolError("item_not_found", f"no item {item_id!r}", "item_id")
        return self._items[item_id]

    def chunk(self, item_id: str) -> int:
        """The chunk that a reply follows. Raises ProtocolError for an item that is none."""
        self.get(item_id)
        if item_id not in self._chunks:
            raise ProtocolError("invalid_value", f"{item_id!r} is no reply", "item_id")
        return self._chunks[item_id]
