import io
import os

import pytest

from iacplatform.supervisor.output import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_names_are_padded_to_one_width() -> None:
    written = io.StringIO()
    output = Output(written, ["web", "database"])
    output.line("web", "hello")
    assert written.getvalue() == "web      | hello\n"


def test_names_are_coloured_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    written = Terminal()
    output = Output(written)
    output.line("web", "hello")
    output.line("jobs", "hello")
    assert written.getvalue() == "\x1b[36mweb |\x1b[0m hello\n\x1b[32mjobs |\x1b[0m hello\n"


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    written = Terminal()
    Output(written).line("web", "hello")
    assert written.getvalue() == "web | hello\n"


def test_a_reader_that_has_left_is_no_fault() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w", buffering=1)
    Output(stream).line("web", "hello")
    os.close(os.dup(write))  # the descriptor is still ours to close
    with pytest.raises(BrokenPipeError):
        stream.close()
