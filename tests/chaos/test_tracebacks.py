"""A traceback counts against us unless it is of a connection, or of an end that was ordered."""

from pathlib import Path

import pytest

from tests.chaos import tracebacks

HEAD = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\n    g()\n'


@pytest.mark.parametrize(
    "end",
    [
        "django.db.utils.OperationalError: consuming input failed",
        "RuntimeError: Q Cluster ink-gee-charlie-white failed to start: sentinel exited with code 1",
        "django.db.utils.InternalError: terminating connection due to idle-in-transaction timeout",
        "KeyboardInterrupt",
        "agents.sweep.RowsFailed: 2",
        "autobahn.exception.Disconnected: Attempt to send on a closed protocol",
    ],
)
def test_what_breaks_with_links_and_processes_is_no_news(tmp_path: Path, end: str) -> None:
    (tmp_path / "jobs-1.log").write_text(f"{HEAD}{end}\n")
    assert sum(tracebacks.ends(tmp_path).values()) == 1
    assert not tracebacks.unexpected(tmp_path)


@pytest.mark.parametrize("end", ["KeyError: 'slot'", "RuntimeError: dictionary changed size during iteration"])
def test_a_fault_of_ours_is_news(tmp_path: Path, end: str) -> None:
    (tmp_path / "web-1.log").write_text(f"fine\n{HEAD}{end}\nfine again\n")
    assert list(tracebacks.unexpected(tmp_path)) == [f"web-1: {end}"]


def test_what_a_cluster_answered_is_news_unless_it_was_being_dealt_with(tmp_path: Path) -> None:
    log, denied = tmp_path / "jobs-1.log", f"{HEAD}pools.errors.Denied: pods is forbidden\n"
    log.write_text(denied)
    assert list(tracebacks.unexpected(tmp_path)) == ["jobs-1: pools.errors.Denied: pods is forbidden"]
    log.write_text(
        f"{denied}\n{tracebacks.HANDLED}, another exception occurred:\n\n{HEAD}psycopg.errors.AdminShutdown: x\n"
    )
    assert not tracebacks.unexpected(tmp_path)
