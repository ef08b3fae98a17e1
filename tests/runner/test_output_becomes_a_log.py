"""Output of the engine, read while it grows, becomes text, counts and errors."""

import json
from pathlib import Path
from typing import Any

from agents.protocol import Progress
from agents.runner.masking import Masker
from agents.runner.spool import LOG_BYTES, Spool
from agents.runner.stream import Reading
from agents.runner.tail import LINE_BYTES, Tail
from tests.runner.scene import Scene


def _event(kind: str, message: str = "m", **members: Any) -> str:
    return json.dumps({"@message": message, "type": kind, **members}) + "\n"


def test_only_whole_lines_are_read_until_the_end(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_bytes(b"one\ntw")
    tail = Tail(file)
    assert tail.lines() == ["one\n"]
    with file.open("ab") as more:
        more.write("o\nthrée\n\nfo".encode())
    assert tail.lines() == ["two\n", "thrée\n", "\n"]
    assert tail.lines() == []
    assert tail.rest() == "fo"


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_bytes("é".encode() * LINE_BYTES)
    tail = Tail(file)
    pieces = tail.lines()
    while tail.is_behind:
        pieces += tail.lines()
    assert max(map(len, pieces)) <= LINE_BYTES
    assert "".join([*pieces, tail.rest()]) == "é" * LINE_BYTES


def test_what_is_no_text_is_kept_to_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_bytes(odd := bytes(range(256)) + b"\n")
    spool = Spool(tmp_path / "log", Masker(["a secret"]))
    for line in Tail(file).lines():
        spool.write(line)
    spool.flush()
    assert spool.read(0, 1000) == odd


def test_half_a_character_which_only_json_can_say_breaks_no_log(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log", Masker([]))
    spool.write(Reading().line('{"@message": "half \\ud800"}\n'))
    assert spool.read(0, 1000) == b"half ?\n"


def test_of_a_flood_only_the_end_is_remembered() -> None:
    reading = Reading()
    for number in range(100):
        reading.line(f"{number} {'x' * 100_000}\n")
    assert len(reading.plain) < 200_000 and reading.plain.startswith("99 ")
    for number in range(200):
        reading.line(_event("diagnostic", diagnostic={"severity": "error", "summary": f"{number}", "detail": ""}))
    assert len(reading.errors) == 100


def test_what_is_no_event_stays_as_it_is() -> None:
    reading = Reading()
    texts = ["plain\n", "{broken\n", "[1]\n", '{"no": "message"}\n', "\n"]
    assert [reading.line(text) for text in texts] == texts
    assert reading.plain == "".join(texts)


def test_progress_counts_what_an_apply_has_to_do() -> None:
    reading = Reading()
    for action in ("create", "replace", "read", "noop"):
        reading.line(_event("planned_change", change={"action": action}))
    assert (reading.planned, reading.total) == (4, 3)
    reading.line(_event("apply_complete", hook={"action": "delete"}))
    reading.line(_event("apply_errored", hook={"action": "create"}))
    reading.line(_event("apply_complete", hook={"action": "read"}))
    assert (reading.done, reading.refused) == (2, 1)


def test_a_diagnostic_is_told_with_its_place() -> None:
    diagnostic = {
        "severity": "error",
        "summary": "Invalid",
        "detail": "No such thing.",
        "range": {"filename": "main.tf", "start": {"line": 2}},
        "snippet": {"context": 'resource "a" "b"', "code": "  x = 1", "start_line": 2},
    }
    reading = Reading()
    text = reading.line(_event("diagnostic", diagnostic=diagnostic))
    place = '  on main.tf line 2, in resource "a" "b":'
    assert text == f"\nError: Invalid\n\n{place}\n     2:   x = 1\n\nNo such thing.\n\n"
    assert reading.errors == [f"Invalid\n{place}\nNo such thing."]


def test_outputs_are_shown_when_they_have_values() -> None:
    outputs = {"a": {"type": "string", "value": "x"}, "s": {"type": "string", "sensitive": True, "value": "y"}}
    assert (
        Reading().line(_event("outputs", "Outputs: 2", outputs=outputs))
        == 'Outputs: 2\n  a = "x"\n  s = (sensitive value)\n'
    )
    planned = {"a": {"action": "create", "sensitive": False}}
    assert Reading().line(_event("outputs", "Outputs: 1", outputs=planned)) == "Outputs: 1\n"


def test_a_strange_event_breaks_nothing() -> None:
    reading = Reading()
    strange: tuple[dict[str, Any], ...] = (
        {"change": 3},
        {"hook": []},
        {"changes": {"add": None}},
        {"diagnostic": "x"},
        {"outputs": [1]},
    )
    for members in strange:
        for kind in ("planned_change", "apply_complete", "change_summary", "diagnostic", "outputs"):
            reading.line(_event(kind, **members))
    assert reading.changes.add == 0


def test_an_endless_log_is_cut_with_a_sentence(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log", Masker([]))
    for _ in range(3):
        spool.write("x" * (LOG_BYTES // 2 + 1))
    assert spool.size < LOG_BYTES
    assert "longer than 128 MiB" in spool.read(LOG_BYTES // 2, 1000).decode()


def test_a_full_disk_costs_the_log_and_nothing_else() -> None:
    spool = Spool(Path("/dev/full"), Masker([]))
    spool.write("text\n")
    spool.write("more\n")
    assert spool.size == 0


def test_progress_is_reported_n_of_m(scene: Scene, fake_agent: object) -> None:
    planned = "".join(_event("planned_change", change={"action": "create"}) for _ in range(40))
    done = "".join(_event("apply_complete", hook={"action": "create"}) for _ in range(40))
    scene.run(scene.applying(print=planned + done, seconds=1, tick="x"))
    applying = [word for word in scene.platform.said(Progress) if word.stage == "applying"]
    assert (applying[-1].done, applying[-1].total) == (40, 40)
    assert len({(word.done, word.total) for word in applying}) <= 6  # words may be said twice
