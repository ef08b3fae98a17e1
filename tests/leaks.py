"""Texts that show secrets in one form or another, and the places where they are cut into pieces."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

BOUNDED = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""The same texts each time: what a search would find some day is to be found by a longer search, not by chance."""

_WORDS = st.text(alphabet='abcXYZ019+/=&<"\\ \n\räß€%{}', max_size=12)
_SECRETS = st.builds("{}{}{}".format, _WORDS, st.sampled_from(["cba019", "äß€XYZ", "0\n1\n2\n3\n4", "a b&c<d"]), _WORDS)
FORMS = ("raw", "JSON", "JSON in JSON", "URL", "form", "base64", "hex")


@dataclass(frozen=True)
class Leak:
    """A text in pieces that shows one of the secrets."""

    secrets: list[str]
    pieces: list[str]

    @property
    def text(self) -> str:
        """The pieces together."""
        return "".join(self.pieces)


@st.composite
def leaks(draw: st.DrawFn) -> Leak:
    """Return secrets, and a text in pieces that shows one of them between words, in one of the forms."""
    secrets = draw(st.lists(_SECRETS, min_size=1, max_size=3))
    shown = _shown(draw(st.sampled_from(secrets)), draw(st.sampled_from(FORMS)), draw(_WORDS))
    text = draw(_WORDS) + shown + draw(_WORDS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return Leak(secrets, [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)])


def revealed(secrets: list[str], shown: str) -> list[str]:
    """Return the secrets' forms that stand in what was shown."""
    return [form for secret in secrets for form in _known(secret) if form in shown]


def _shown(secret: str, form: str, beside: str) -> str:
    ways = {
        "raw": secret,
        "JSON": json.dumps(secret),
        "JSON in JSON": json.dumps(json.dumps({beside: secret})),
        "URL": quote(secret, safe=""),
        "form": quote_plus(secret),
        "base64": base64.b64encode((beside + secret + beside).encode()).decode(),
        "hex": secret.encode().hex(),
    }
    return ways[form]


def _known(secret: str) -> Iterator[str]:
    for text in (secret.strip(), *(line.strip() for line in secret.splitlines() if len(line.strip()) >= 6)):
        yield from (text, json.dumps(text)[1:-1], json.dumps(json.dumps(text))[3:-3], quote(text, safe=""))
        yield from (quote_plus(text), text.encode().hex())
        for lead in range(3):
            inner = base64.b64encode(b"\0" * lead + text.encode()).decode()
            yield inner[(lead * 8 + 5) // 6 : (lead + len(text.encode())) * 8 // 6]
