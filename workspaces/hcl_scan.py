"""The outline of HCL text: brackets, quotes, templates, heredocs and comments; and the text made plain for a parser.

The parser that we use (python-hcl2) refuses some texts that terraform takes: block comments between words, strip
markers, line ends in templates, names of functions with one namespace, letters beyond ASCII in names, a byte order
mark. In the plain text they are replaced one character for one, so that offsets stay.
"""

import re

_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_QUOTE = '"'
_TEMPLATE = "}~"
"""On the stack: the end of a template's sequence, which is a brace as well but returns to the quoted text."""

# Each begins only where the blanks begin: tried at every one of them, a long run would cost its square.
_GOES_ON = re.compile(r"(?<!\s)\s++(?=[.\[])")
_NAMESPACE = re.compile(r"(?<![ \t])[ \t]*+::[ \t]*+")

_CODE = re.compile(
    r"""(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/) | (?P<open_comment>/\*)
    | <<-?(?P<heredoc>[^\W\d][\w-]*)[ \t]*\r?\n | (?P<quote>") | (?P<open>[(\[{]) | (?P<close>~?[)\]}])
    | (?P<plain>[^\#/<"()\[\]{}~]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(
    r"""(?P<escape>\\[^\n]|\$\$\{|%%\{) | (?P<template>[$%]\{~?) | (?P<quote>") | (?P<newline>\n)
    | (?P<plain>[^\\$%"\n]+|.)""",
    re.VERBOSE | re.DOTALL,
)


class Broken(Exception):
    """The text cannot be HCL. `offset`: of the character where that shows."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


def plain(text: str) -> str:
    """Return the text for the parser, or raise `Broken`."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out: list[str] = []
        self._stack: list[tuple[str, int]] = []  # what ends each open part, and where the part began

    def run(self) -> str:
        while self._at < len(self._text):
            self._step()
        if self._stack:
            closer, began = self._stack[-1]
            raise Broken(f"What begins here is not closed: {closer[0]} is missing.", began)
        return "".join(self._out)

    def _step(self) -> None:
        quoted = bool(self._stack) and self._stack[-1][0] == _QUOTE
        match = (_QUOTED if quoted else _CODE).match(self._text, self._at)
        if match is None or match.lastgroup is None:
            raise Broken("The text cannot be read here.", self._at)
        kind = match.lastgroup
        getattr(self, f"_{'quoted_' if quoted else ''}{kind}")(match.group())

    def _emit(self, text: str, length: int = 0) -> None:
        self._out.append(text)
        self._at += length or len(text)

    def _plain(self, text: str) -> None:
        plain = "".join(each if each.isascii() else _ascii(each) for each in text)
        plain = _NAMESPACE.sub(lambda match: "_" * len(match.group()), plain)
        self._emit(self._joined(plain))

    def _joined(self, plain: str) -> str:
        """Return the text without line ends that mean nothing: in a template, and before what goes on with a value."""
        inner = self._stack[-1][0] if self._stack else ""
        if inner == _TEMPLATE:
            return plain.replace("\n", " ")
        if inner not in (")", "]"):
            return plain
        after = self._at + len(plain)
        follows = self._text[after : after + 1].replace("\n", "")
        return _GOES_ON.sub(lambda match: " " * len(match.group()), plain + follows)[: len(plain)]

    def _comment(self, text: str) -> None:
        self._emit(" " * len(text))

    def _open_comment(self, text: str) -> None:
        raise Broken("The comment that begins here is not closed: */ is missing.", self._at)

    def _heredoc(self, text: str) -> None:
        marker = text.lstrip("<-").strip()
        begin = self._at + len(text)
        end = re.compile(rf"^[ \t]*{re.escape(marker)}[ \t]*\r?$", re.MULTILINE).search(self._text, begin)
        if end is None:
            raise Broken(f"The heredoc that begins here is not closed: a line {marker} is missing.", self._at)
        # Its text is for terraform to judge: only the frame stays. Empty lines would cost the parser their square.
        body = "x" * (end.start() - begin - 1) + "\n" if end.start() > begin else ""
        self._emit(_ascii_words(text) + body + _ascii_words(end.group()))

    def _quote(self, text: str) -> None:
        self._stack.append((_QUOTE, self._at))
        self._emit(text)

    def _open(self, text: str) -> None:
        self._stack.append((_CLOSERS[text], self._at))
        self._emit(text)

    def _close(self, text: str) -> None:
        closer = self._stack.pop()[0] if self._stack else ""
        if closer[:1] != text[-1]:
            wanted = f"{closer[0]} is expected" if closer else "nothing is open"
            raise Broken(f"{text[-1]} does not fit here: {wanted}.", self._at)
        self._emit(text.replace("~", " "))

    def _quoted_quote(self, text: str) -> None:
        self._stack.pop()
        self._emit(text)

    def _quoted_template(self, text: str) -> None:
        self._stack.append((_TEMPLATE, self._at))
        self._emit(text.replace("~", " "))

    def _quoted_newline(self, text: str) -> None:
        raise Broken("The text in quotes that begins here does not end on its line.", self._stack[-1][1])

    def _quoted_escape(self, text: str) -> None:
        self._emit("x" * len(text))

    def _quoted_plain(self, text: str) -> None:
        self._emit(re.sub(r"[^ ]", "x", text))


def _ascii(character: str) -> str:
    return " " if character == "\ufeff" else "x" if character.isalnum() else character


def _ascii_words(text: str) -> str:
    return "".join(each if each.isascii() else "x" for each in text)
