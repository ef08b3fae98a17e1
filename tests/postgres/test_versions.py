from pathlib import Path

import pytest

from iacplatform.postgres import Launcher, address
from iacplatform.postgres.errors import UnknownVersion
from tests.postgres.foreground import query


@pytest.mark.parametrize("major", ["16", "19"])
def test_the_data_of_another_major_version_is_refused_and_left_alone(new_home: Path, major: str) -> None:
    address(new_home)
    (new_home / "postgres" / major).mkdir()
    with pytest.raises(UnknownVersion, match=f"holds data of PostgreSQL {major} and this release runs 18"):
        Launcher(new_home).start()
    assert not (new_home / "postgres" / "18").exists()


def test_a_folder_under_the_wrong_name_is_refused(new_home: Path) -> None:
    address(new_home)
    (new_home / "postgres" / "18").mkdir()
    (new_home / "postgres" / "18" / "PG_VERSION").write_text("17\n")
    with pytest.raises(UnknownVersion, match="PostgreSQL 17"):
        Launcher(new_home).start()


def test_old_data_beside_our_own_is_left_alone(home: Path) -> None:
    (home / "postgres" / "16").mkdir()
    with Launcher(home):
        assert query(home, "SELECT 1") == 1
