"""Ids of sessions, and what they say."""

import pytest

from harken.errors import HarkenError
from harken.serve.session_id import check_name, new_session_id, server_of


@pytest.mark.parametrize("server", ["", "a", "kitchen-2", "vzqfbo0o"])
def test_an_id_names_its_server_and_is_not_to_be_guessed(server: str) -> None:
    one, other = new_session_id(server), new_session_id(server)
    assert one != other and len(one) >= 24
    assert server_of(one) == server


@pytest.mark.parametrize("other", ["", "sess", "sess_a", "sess_a_b_c", "conv_a_b", "_a_"])
def test_other_words_name_no_server(other: str) -> None:
    assert server_of(other) == ""


@pytest.mark.parametrize("server", ["first_floor", "a b", "é", "../a", "x" * 41, "a\n"])
def test_a_name_that_would_not_be_read_again_is_refused(server: str) -> None:
    with pytest.raises(HarkenError, match="letters, digits and hyphens"):
        check_name(server)
