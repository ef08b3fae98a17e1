import threading
from pathlib import Path

import pytest

from iacplatform.postgres import Launcher
from iacplatform.postgres.errors import InUse, NotMainThread
from tests.postgres.conftest import Run
from tests.postgres.foreground import query


def test_a_second_launcher_is_refused_in_one_sentence_and_harms_nothing(home: Path, run: Run) -> None:
    first = run(home).until_ready()
    status, errors = run(home).last_words()
    data = home / "postgres" / "18"
    sentence = (
        f"The data folder {data} is in use by another launcher (process {first.process.pid}): stop that one first.\n"
    )
    assert (status, errors) == (1, sentence)
    assert query(home, "SELECT 1") == 1


def test_a_refused_launcher_can_start_later(home: Path) -> None:
    second = Launcher(home)
    with Launcher(home), pytest.raises(InUse):
        second.start()
    with second:
        assert query(home, "SELECT 1") == 1


def test_a_launcher_outside_the_main_thread_is_refused(new_home: Path) -> None:
    caught: list[BaseException] = []

    def start() -> None:
        try:
            Launcher(new_home).start()
        except NotMainThread as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(caught) == 1
