"""What another agent packed is unpacked without trust."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.runner import archive, configuration
from agents.runner.errors import PhaseFailed


def _member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", data: bytes = b"x"
) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    member.size = len(data) if kind == tarfile.REGTYPE else 0
    return member, data


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as file:
        for member, data in members:
            file.addfile(member, io.BytesIO(data) if member.size else None)
    return buffer.getvalue()


ATTACKS = {
    "parent": [_member("../evil")],
    "hidden parent": [_member("a/../../evil")],
    "absolute": [_member("/evil")],
    "symlink": [_member("link", tarfile.SYMTYPE, "/etc/passwd")],
    "through a symlink": [_member("out", tarfile.SYMTYPE, ".."), _member("out/evil")],
    "hard link": [_member("link", tarfile.LNKTYPE, "/etc/passwd")],
    "device": [_member("null", tarfile.CHRTYPE)],
    "pipe": [_member("pipe", tarfile.FIFOTYPE)],
    "control character": [_member("a\nb")],
    "backslash": [_member("..\\evil")],
    "file as folder": [_member("a"), _member("a/b")],
    "deep": [_member("/".join(["d"] * 40))],
    "long name": [_member("n" * 300)],
}


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "outer" / "inner"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_leaves_nothing_outside(inside: Path, attack: str) -> None:
    with pytest.raises(PhaseFailed):
        archive.unpack(_tar(*ATTACKS[attack]), inside)
    assert [path for path in inside.parent.iterdir() if path != inside] == []


def test_a_link_that_is_there_already_is_not_followed(inside: Path) -> None:
    (inside / "out").symlink_to(inside.parent)
    with pytest.raises(PhaseFailed):
        archive.unpack(_tar(_member("out/evil")), inside)
    victim = inside.parent / "victim"
    victim.write_text("kept")
    (inside / "file").symlink_to(victim)
    archive.unpack(_tar(_member("file")), inside)
    assert victim.read_text() == "kept"


def test_too_many_and_too_large_files_are_refused(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "FILES", 2)
    with pytest.raises(PhaseFailed, match="more than 2 files"):
        archive.unpack(_tar(*(_member(f"f{number}") for number in range(3))), inside)
    monkeypatch.setattr(archive, "BYTES", 10)
    with pytest.raises(PhaseFailed, match="MiB"):
        archive.unpack(_tar(_member("large", data=b"x" * 11)), inside)
    (inside / "large").write_bytes(b"x" * 11)
    with pytest.raises(PhaseFailed, match="too much to keep"):
        archive.pack(inside, {})


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"no archive", lambda data: b""])
def test_a_damaged_archive_is_refused(inside: Path, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(PhaseFailed, match="cannot be unpacked"):
        archive.unpack(damage(_tar(*(_member(f"f{number}", data=b"x" * 5000) for number in range(9)))), inside)


def test_what_was_made_comes_back_and_nothing_else(inside: Path, tmp_path: Path) -> None:
    known = {"main.tf": "a", "kept.txt": "old", "sub/deep.tf": "b"}
    configuration.write(known, "sub", inside)
    (inside / "kept.txt").write_text("new")
    (inside / "sub" / "made.sh").write_text("#!/bin/sh")
    (inside / "sub" / "made.sh").chmod(0o755)
    (inside / "link").symlink_to("main.tf")
    (inside / ".terraform").mkdir()
    (inside / ".terraform" / "provider").write_text("large")
    (inside / "sub" / ".terraform.lock.hcl").write_text("lock")
    other = tmp_path / "other"
    other.mkdir()
    archive.unpack(archive.pack(inside, known), other)
    files = {path.relative_to(other).as_posix(): path.read_text() for path in other.rglob("*") if path.is_file()}
    assert files == {"kept.txt": "new", "sub/made.sh": "#!/bin/sh"}
    assert (other / "sub/made.sh").stat().st_mode & 0o777 == 0o700


def test_without_extras_there_is_no_archive(inside: Path) -> None:
    configuration.write({"main.tf": "a"}, "", inside)
    assert archive.pack(inside, {"main.tf": "a"}) == b""


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a//b", "a/./b", "", ".", "a/..", "a\0b", "a\nb", "a\\b", "x" * 300, "a/"]
)
def test_a_configuration_file_has_a_plain_relative_name(inside: Path, name: str) -> None:
    with pytest.raises(PhaseFailed):
        configuration.write({name: "text"}, "", inside)


@pytest.mark.parametrize("folder", ["..", "/etc", "a/../.."])
def test_a_working_directory_is_inside(inside: Path, folder: str) -> None:
    with pytest.raises(PhaseFailed):
        configuration.write({"main.tf": ""}, folder, inside)


def test_the_name_of_our_own_override_is_taken(inside: Path) -> None:
    with pytest.raises(PhaseFailed, match="needs itself"):
        configuration.write({"sub/iacplatform_backend_override.tf.json": "{}"}, "sub", inside)
