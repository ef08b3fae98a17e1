"""Keys that nobody gave are made once, kept privately, and agreed upon by processes that start together."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from iacplatform.base import keys


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first = keys.secret_key(tmp_path)
    assert len(first) >= 64
    assert keys.secret_key(tmp_path) == first


def test_two_folders_have_different_keys(tmp_path: Path) -> None:
    assert keys.encryption_keys(tmp_path / "a") != keys.encryption_keys(tmp_path / "b")


def test_only_its_owner_can_read_a_key(tmp_path: Path) -> None:
    keys.encryption_keys(tmp_path / "home")
    assert stat.S_IMODE((tmp_path / "home" / "encryption_keys").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_those_who_start_together_agree_and_leave_nothing_behind(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: keys.secret_key(tmp_path), range(32)))
    assert len(found) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="give a writable IACPLATFORM_HOME"):
        keys.secret_key(tmp_path / "file")


def test_a_made_key_and_several_given_ones_are_well_formed(tmp_path: Path) -> None:
    for given in (keys.encryption_keys(tmp_path), f"new:{'a' * 64}, old:{'0' * 64}"):
        assert keys.well_formed(given) == given


@pytest.mark.parametrize(
    "given",
    ["swordfish", f"a:{'0' * 63}", f"a:{'g' * 64}", f":{'0' * 64}", f"a:{'0' * 64},", f"a:{'0' * 64},a:{'1' * 64}"],
)
def test_keys_that_are_none_are_one_sentence_that_does_not_repeat_them(given: str) -> None:
    with pytest.raises(SystemExit, match="64 hex digits") as left:
        keys.well_formed(given)
    assert given not in str(left.value)
