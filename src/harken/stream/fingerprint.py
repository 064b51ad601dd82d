"""What must be equal before a checkpoint, a shard and a profile may be used together."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from harken.errors import HarkenError
from harken.stream.profile import Profile


def fields_of(profile: Profile) -> dict[str, Any]:
    """The profile as plain JSON values, to be stored beside weights and data."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(profile)))
    return plain


def fingerprint(profile: Profile) -> str:
    """sha256 of the profile's canonical JSON, as hexadecimal."""
    canonical = json.dumps(fields_of(profile), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def check(stored: Any, profile: Profile, what: str) -> None:
    """Refuse `what` (named in the message) when its stored profile differs, naming the field."""
    if not isinstance(stored, dict):
        raise HarkenError(f"{what} names no profile but {_short(stored)}; make it again")
    mine = fields_of(profile)
    for field in sorted(mine.keys() | stored.keys()):
        if stored.get(field) != mine.get(field):
            raise HarkenError(
                f"{what} was made for another profile: field {field} is "
                f"{_short(stored.get(field))}, here {_short(mine.get(field))}; use a matching "
                f"one or profile {stored.get('name')!r}"
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
