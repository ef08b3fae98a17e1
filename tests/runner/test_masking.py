"""However a text is cut into pieces, no form of a sensitive value comes out."""

import base64
import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from agents.runner.masking import MASK, Masker, literals

WORDS = st.text(alphabet='abcXYZ019+/=&<"\\ \näß€%{}', min_size=1, max_size=30)


@st.composite
def leaks(draw: st.DrawFn) -> tuple[list[str], str, list[str]]:
    """Return secrets, a text that shows one of them, and that text in pieces."""
    secrets = draw(st.lists(WORDS.filter(lambda word: len(word.strip()) >= 6), min_size=1, max_size=3))
    secret = draw(st.sampled_from(secrets))
    shown = draw(
        st.sampled_from([secret, json.dumps(secret), quote(secret), base64.b64encode(secret.encode()).decode()])
    )
    text = draw(WORDS) + shown + draw(WORDS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    return secrets, text, pieces


@given(leaks())
def test_no_split_reveals_a_value(leak: tuple[list[str], str, list[str]]) -> None:
    secrets, _, pieces = leak
    masker = Masker(secrets)
    shown = "".join([*(masker.feed(piece) for piece in pieces), masker.flush()])
    for part in shown.split(MASK):
        for line in (line for secret in secrets for line in secret.split("\n")):
            assert len(line.strip()) < 6 or line.strip() not in part


@given(leaks())
def test_pieces_say_what_the_whole_says(leak: tuple[list[str], str, list[str]]) -> None:
    secrets, text, pieces = leak
    masker = Masker(secrets)
    assert "".join([*map(masker.feed, pieces), masker.flush()]) == Masker(secrets).mask(text)


@given(st.binary(min_size=6, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_base64_is_known_at_every_alignment(middle: bytes, before: bytes, after: bytes) -> None:
    secret = base64.b85encode(middle).decode()
    text = base64.b64encode(before + secret.encode() + after).decode()
    start, end = -(-len(before) * 8 // 6), (len(before) + len(secret)) * 8 // 6
    assert text[start:end] not in Masker([secret]).mask(text)


def test_short_values_are_left_alone() -> None:
    assert Masker(["on", "80", "abcde"]).mask("on 80 abcde") == "on 80 abcde"


def test_every_line_of_a_value_is_known() -> None:
    masker = Masker(["-----BEGIN KEY-----\r\nMIIEow123\r\n-----END KEY-----"])
    assert masker.mask("saw MIIEow123 here") == f"saw {MASK} here"


def test_the_strings_of_a_sensitive_expression_are_known() -> None:
    masker = Masker(literals('{ user = "admin-user", password = "p\\"ssword" }'))
    assert masker.mask('admin-user p"ssword') == f"{MASK} {MASK}"


def test_text_without_values_is_not_held_back() -> None:
    assert Masker([]).feed("no line break") == "no line break"
    assert Masker(["a-long-secret"]).feed("a whole line\n") == "a whole line\n"
