"""Two things are used together only when their profiles agree in every field."""

import json
from dataclasses import fields, replace

import pytest

from harken.errors import HarkenError
from harken.stream import Profile, profile_named
from harken.stream.fingerprint import check, fields_of, fingerprint


@pytest.mark.parametrize("name", ["mini", "released-3b", "tiny"])
def test_a_profile_survives_being_stored(name: str) -> None:
    profile = profile_named(name)
    check(json.loads(json.dumps(fields_of(profile))), profile, "shard 7")


def test_fingerprints_tell_profiles_apart(tiny: Profile) -> None:
    names = ("mini", "released-3b", "tiny")
    assert len({fingerprint(profile_named(n)) for n in names}) == len(names)
    assert fingerprint(tiny) == fingerprint(replace(tiny))
    assert fingerprint(tiny) != fingerprint(replace(tiny, context=tiny.context + 1))


@pytest.mark.parametrize("field", [f.name for f in fields(Profile)])
def test_a_difference_is_refused_by_the_name_of_its_field(tiny: Profile, field: str) -> None:
    stored = fields_of(tiny)
    stored[field] = "something else"
    with pytest.raises(HarkenError, match=f"shard 7 .* field {field} is") as refused:
        check(stored, tiny, "shard 7")
    assert "\n" not in str(refused.value)


def test_a_field_too_many_or_too_few_is_a_difference(tiny: Profile) -> None:
    stored = fields_of(tiny)
    with pytest.raises(HarkenError, match="field voices is"):
        check(stored | {"voices": 2}, tiny, "shard 7")
    del stored["hidden"]
    with pytest.raises(HarkenError, match="field hidden is null, here 32"):
        check(stored, tiny, "shard 7")


@pytest.mark.parametrize("stored", [None, [], "mini", 3])
def test_what_is_no_profile_at_all_is_refused(tiny: Profile, stored: object) -> None:
    with pytest.raises(HarkenError, match="shard 7 names no profile"):
        check(stored, tiny, "shard 7")
