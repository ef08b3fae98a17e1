"""However a text is cut into pieces, no form of a sensitive value comes out."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from agents.runner.masking import MASK, Masker, literals
from tests.leaks import BOUNDED, Leak, leaks, revealed

PEM = "-----BEGIN KEY-----\r\nMIIEow123\r\n-----END KEY-----"


@BOUNDED
@given(leaks())
def test_no_split_reveals_a_value(leak: Leak) -> None:
    masker = Masker(leak.secrets)
    shown = "".join([*map(masker.feed, leak.pieces), masker.flush()])
    assert not revealed(leak.secrets, shown)


@BOUNDED
@given(leaks())
def test_pieces_say_what_the_whole_says(leak: Leak) -> None:
    masker = Masker(leak.secrets)
    assert "".join([*map(masker.feed, leak.pieces), masker.flush()]) == Masker(leak.secrets).mask(leak.text)


@BOUNDED
@given(leaks())
def test_nothing_is_shown_that_the_rest_could_make_a_value(leak: Leak) -> None:
    masker, shown = Masker(leak.secrets), ""
    whole = Masker(leak.secrets).mask(leak.text)
    for piece in leak.pieces:
        shown += masker.feed(piece)
        assert whole.startswith(shown)


@BOUNDED
@given(st.binary(min_size=6, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_base64_is_known_at_every_alignment(middle: bytes, before: bytes, after: bytes) -> None:
    secret = base64.b85encode(middle).decode()
    text = base64.b64encode(before + secret.encode() + after).decode()
    start, end = -(-len(before) * 8 // 6), (len(before) + len(secret)) * 8 // 6
    assert text[start:end] not in Masker([secret]).mask(text)


def test_base64_in_lines_is_known() -> None:
    shown = Masker(["a long secret, " * 9]).mask(base64.encodebytes(b"a long secret, " * 9).decode())
    assert set(shown.replace(MASK, "")) <= set("\n=")


def test_a_value_of_short_lines_is_known_as_a_whole() -> None:
    masker = Masker(["ab\r\ncd\r\nef"])
    assert "".join([masker.feed("is ab\nc"), masker.feed("d\nef!"), masker.flush()]) == f"is {MASK}!"


def test_a_value_within_json_within_json_is_known() -> None:
    assert 'qu\\\\\\"ote' not in Masker(['the "qu\\"ote"']).mask(json.dumps(json.dumps('the "qu\\"ote"')))


def test_short_values_are_left_alone() -> None:
    assert Masker(["on", "80", "abcde"]).mask("on 80 abcde") == "on 80 abcde"


def test_every_line_of_a_value_is_known() -> None:
    assert Masker([PEM]).mask("saw MIIEow123 here") == f"saw {MASK} here"
    assert Masker([PEM]).mask(f"saw {PEM} here") == f"saw {MASK} here"


def test_the_strings_of_a_sensitive_expression_are_known() -> None:
    masker = Masker(literals('{ user = "admin-user", password = "p\\"ssword" }'))
    assert masker.mask('admin-user p"ssword') == f"{MASK} {MASK}"


def test_text_without_values_is_not_held_back() -> None:
    assert Masker([]).feed("no line break") == "no line break"
    assert Masker(["a-long-secret"]).feed("no line break, the end") == "no line break, the end"
    assert Masker(["a-long-secret"]).feed("a whole line\n") == "a whole line\n"
