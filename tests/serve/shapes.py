"""Events against the types of the official package: strict, and without fields it does not know."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from openai.types.live import ServerEvent
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel

OURS = {"harken", "response_id", "object", "id", "expires_at"}
"""Fields that we add where the types allow more; clients ignore them."""


def _classes(union: Any) -> dict[str, type[BaseModel]]:
    models = get_args(get_args(union)[0])
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in models}


LIVE, REALTIME = _classes(ServerEvent), _classes(RealtimeServerEvent)


def checked(event: dict[str, Any] | str | bytes, dialect: dict[str, type[BaseModel]]) -> Any:
    """The event, valid by its type's own class unless it is one of ours."""
    plain = event if isinstance(event, dict) else json.loads(event)
    if not plain["type"].startswith("harken."):
        model = dialect[plain["type"]].model_validate_json(json.dumps(plain), strict=True)
        unknown = set(_extra(model)) - OURS
        assert not unknown, f"{plain['type']} has fields of no meaning: {unknown}"
    return plain


def _extra(value: Any) -> Iterator[str]:
    """Names of fields that no type knows, at any depth."""
    if isinstance(value, BaseModel):
        yield from value.model_extra or {}
        for name in type(value).model_fields:
            yield from _extra(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from _extra(item)
