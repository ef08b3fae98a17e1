from pathlib import Path

from iacplatform.postgres.log import KEPT_BYTES, Log


def test_a_long_log_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_bytes(b"." * (KEPT_BYTES + 1))
    Log(path).close()
    assert path.stat().st_size == 0
    assert (tmp_path / "server.log.1").stat().st_size == KEPT_BYTES + 1


def test_the_reason_is_of_this_start_alone(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("12:00 UTC [1] FATAL:  an old one\n")
    log = Log(path)
    assert log.reason() == "it said nothing"
    with path.open("a") as file:
        file.write("12:01 UTC [2] FATAL:  the disk is full\n12:01 UTC [2] LOG:  database system is shut down\n")
    assert log.reason() == "the disk is full"
    log.close()
