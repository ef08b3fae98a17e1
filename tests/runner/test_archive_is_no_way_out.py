"""What came from elsewhere is unpacked without trust: the published exploits, and what they would become here."""

import gzip
import io
import os
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agents.runner import archive, configuration, tarball
from agents.runner.errors import PhaseFailed
from agents.runner.tarball import Source
from tests.archives import member, packed, raw, tar

SOURCES = {"extras": archive.EXTRAS, "configuration": archive.CONFIGURATION}
SMALL = Source(name="The archive", code="configuration_invalid", bytes=64 * 1024)


def unpack(data: bytes, root: Path, source: Source = archive.CONFIGURATION) -> archive.Unpacked:
    return archive.unpack(io.BytesIO(data), root, source)


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return a header alone, whatever it says."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def pax(**records: str) -> bytes:
    """Return a PAX header as a member of its own, with records as they are given."""
    lines = b""
    for name, value in records.items():
        rest = f" {name}={value}\n".encode("utf-8", "surrogateescape")
        length = len(rest) + len(str(len(rest) + 2))
        lines += str(length).encode() + rest
    block = lines + b"\0" * (-len(lines) % 512)
    return header("pax", len(lines), tarfile.XHDTYPE) + block


ATTACKS = {
    # CVE-2007-4559: names that lead out.
    "parent": tar(member("../evil")),
    "hidden parent": tar(member("a/../../evil")),
    "parent in PAX": raw(pax(path="../evil"), header("fine", 1), b"x"),
    "parent in a GNU long name": raw(
        header("@LongLink", 8, tarfile.GNUTYPE_LONGNAME), b"../evil\0", header("x", 1), b"x"
    ),
    "parent as folder": tar(member("../evil", kind=tarfile.DIRTYPE)),
    "absolute": tar(member("/evil")),
    "absolute in PAX": raw(pax(path="/evil"), header("fine", 1), b"x"),
    # CVE-2001-1267, CVE-2018-20482 and their like: links, and what is written through them.
    "symbolic link": tar(member("link", kind=tarfile.SYMTYPE, linkname="/etc/passwd")),
    "through a symbolic link": tar(member("out", kind=tarfile.SYMTYPE, linkname=".."), member("out/evil")),
    "hard link to outside": tar(member("link", kind=tarfile.LNKTYPE, linkname="/etc/passwd")),
    "hard link inside": tar(member("a"), member("b", kind=tarfile.LNKTYPE, linkname="a")),
    "long link target": raw(header("@LongLink", 4, tarfile.GNUTYPE_LONGLINK), b"/etc", header("a", 0, tarfile.SYMTYPE)),
    "character device": tar(member("null", kind=tarfile.CHRTYPE)),
    "block device": tar(member("disk", kind=tarfile.BLKTYPE)),
    "pipe": tar(member("pipe", kind=tarfile.FIFOTYPE)),
    "unknown kind": tar(member("what", kind=b"Z")),
    # CVE-2022-48303, CVE-2019-9923: sparse files, whose size is not what lies there.
    "sparse": raw(header("sparse", 0, tarfile.GNUTYPE_SPARSE)),
    "sparse in PAX": raw(pax(**{"GNU.sparse.major": "1"}), header("sparse", 1), b"x"),
    "control character": tar(member("a\nb")),
    "NUL": raw(pax(path="a\0b"), header("fine", 1), b"x"),
    "backslash": tar(member("..\\evil")),
    "no UTF-8": tar(member(os.fsdecode(b"a\xff")), form=tarfile.GNU_FORMAT),
    "file as folder": tar(member("a"), member("a/b")),
    "folder replaced by a file": tar(member("a", kind=tarfile.DIRTYPE), member("a/b"), member("a")),
    "file replaced by a folder": tar(member("a"), member("a", kind=tarfile.DIRTYPE)),
    "deep": tar(member("/".join(["d"] * 40))),
    "long part": tar(member("n" * 300)),
    "long name": tar(member("/".join(["n" * 200] * 8))),
    "negative size": raw(pax(size="-1"), header("a", 1), b"x"),
    "size that is no number": raw(pax(size="1e3"), header("a", 1), b"x"),
    "all files get one name": raw(header("g", 12, tarfile.XGLTYPE), b"12 path=a.b\n", header("a", 1), b"x"),
    "damaged PAX record": raw(header("pax", 9, tarfile.XHDTYPE), b"99 path=a", header("a", 1), b"x"),
    "PAX record of no length": raw(header("pax", 9, tarfile.XHDTYPE), b"0 path=a\n", header("a", 1), b"x"),
    "headers without a member": raw(*[pax(comment="x")] * 20),
}


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "outer" / "inner"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_leaves_nothing_outside(inside: Path, attack: str, source: str) -> None:
    with pytest.raises(PhaseFailed):
        unpack(ATTACKS[attack], inside, SOURCES[source])
    assert [path for path in inside.parent.iterdir() if path != inside] == []
    assert not any(path.is_symlink() for path in inside.rglob("*"))


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        ("symbolic link", "--dereference"),
        ("hard link inside", "--hard-dereference"),
        ("character device", "a device"),
        ("sparse", "without --sparse"),
        ("absolute", "not relative"),
    ],
)
def test_a_refusal_says_how_to_pack_instead(inside: Path, attack: str, words: str) -> None:
    with pytest.raises(PhaseFailed, match=words) as refused:
        unpack(ATTACKS[attack], inside)
    assert refused.value.code == "configuration_invalid"


def test_a_link_that_is_there_already_is_not_followed(inside: Path) -> None:
    (inside / "out").symlink_to(inside.parent)
    with pytest.raises(PhaseFailed):
        unpack(tar(member("out/evil")), inside)
    victim = inside.parent / "victim"
    victim.write_text("kept")
    (inside / "file").symlink_to(victim)
    unpack(tar(member("file")), inside)
    assert victim.read_text() == "kept"


def test_no_mode_but_the_owners_is_taken(inside: Path) -> None:
    unpack(
        tar(member("a", mode=0o7777), member("b", mode=0o666), member("c", kind=tarfile.DIRTYPE, mode=0o7777)), inside
    )
    modes = {path.name: path.stat().st_mode & 0o7777 & ~0o077 for path in inside.iterdir()}
    assert modes == {"a": 0o700, "b": 0o600, "c": 0o700}


def test_a_bomb_ends_early_and_takes_no_memory(inside: Path) -> None:
    blocks = [header("bomb", 10 * 1024**3), *[b"\0" * 1024**2] * 64]
    bombs = {
        "large file": raw(*blocks),
        "large end": gzip.compress(b"\0" * 64 * 1024**2),
        "large PAX header": raw(header("pax", 60 * 1024**2, tarfile.XHDTYPE), *[b"a" * 1024**2] * 60),
        "large long name": raw(header("name", 8 * 1024**3, tarfile.GNUTYPE_LONGNAME), *[b"a" * 1024**2] * 60),
    }
    tracemalloc.start()
    began = time.process_time()
    for bomb in bombs.values():
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        with pytest.raises(PhaseFailed):
            unpack(bomb, inside, SMALL)
        assert tracemalloc.get_traced_memory()[1] - held < 4 * 1024**2
    tracemalloc.stop()
    assert time.process_time() - began < 5
    assert sum(path.stat().st_size for path in inside.rglob("*")) <= SMALL.bytes


def test_too_many_and_too_large_files_are_refused(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (archive, tarball):
        monkeypatch.setattr(module, "FILES", 2)
    with pytest.raises(PhaseFailed, match="more than 2 files"):
        unpack(tar(*(member(f"f{number}") for number in range(3))), inside)
    with pytest.raises(PhaseFailed, match="too much to unpack"):
        unpack(tar(member("large", data=b"x" * SMALL.bytes)), inside, SMALL)
    monkeypatch.setattr(archive, "BYTES", 10)
    (inside / "large").write_bytes(b"x" * 11)
    with pytest.raises(PhaseFailed, match="too much to keep"):
        archive.pack(inside, {})


WHOLE = tar(*(member(f"f{number}", data=os.urandom(5000)) for number in range(9)))
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 2],
    "without its checksum": lambda data: data[:-4],
    "turned bit": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
    "no archive": lambda data: b"no archive",
    "nothing": lambda data: b"",
    "gzip of something else": lambda data: gzip.compress(b"not a tar" * 200),
    "no end mark": lambda data: gzip.compress(header("a", 0)),
    "cut before it was compressed": lambda data: gzip.compress(gzip.decompress(data)[:7000]),
    "more behind it": lambda data: data + gzip.compress(b"more"),
    "garbage behind it": lambda data: data + b"garbage",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_refused(inside: Path, damage: str) -> None:
    with pytest.raises(PhaseFailed, match="cannot be unpacked"):
        unpack(DAMAGES[damage](WHOLE), inside)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_archives_as_people_make_them_are_unpacked(inside: Path, form: int) -> None:
    long = f"{'folder-' * 12}/{'name-' * 12}.tf"
    content = [member(".", kind=tarfile.DIRTYPE), member("./empty/", kind=tarfile.DIRTYPE)]
    content += [member("./main.tf", b"main"), member("./modules/a/main.tf", b"a"), member(f"./{long}", b"long")]
    content += [member("./._main.tf", b"attributes of macOS"), member("./run.sh", b"#!/bin/sh", mode=0o755)]
    content += [member("./main.tf", b"a later one of the same name")]
    unpacked = unpack(tar(*content, form=form), inside)
    assert (inside / "main.tf").read_text() == "a later one of the same name"
    assert (inside / "modules/a/main.tf").read_text() == "a" and (inside / long).read_text() == "long"
    assert (inside / "empty").is_dir() and (inside / "run.sh").stat().st_mode & 0o777 == 0o700
    assert set(unpacked.files) == {"main.tf", "modules/a/main.tf", long, "._main.tf", "run.sh"}
    assert unpacked.files["modules/a/main.tf"].size == 1


def test_attributes_of_macos_and_comments_of_git_are_passed_over(inside: Path) -> None:
    git = header("pax_global_header", 14, tarfile.XGLTYPE)
    attributes = {"LIBARCHIVE.xattr.com.apple.provenance": "AQIA", "SCHILY.xattr.x": "y" * 40_000, "mtime": "1.5"}
    unpack(raw(git, b"14 comment=ab\n", pax(path="ä/main.tf", **attributes), header("short", 1), b"x"), inside)
    assert (inside / "ä/main.tf").read_text() == "x"


def test_what_the_engine_makes_itself_is_left_out(inside: Path) -> None:
    cache = member("./.terraform/providers/x", kind=tarfile.SYMTYPE, linkname="/home/me/.cache")
    foreign = member("sub/.Terraform/terraform.tfstate", b'{"backend": {"type": "local"}}')
    unpacked = unpack(tar(member("main.tf"), cache, foreign), inside)
    assert unpacked.skipped == 2
    assert [path.name for path in inside.rglob("*")] == ["main.tf"]


def test_what_was_made_comes_back_and_nothing_else(inside: Path, tmp_path: Path) -> None:
    files = {"main.tf": "a", "kept.txt": "old", "sub/deep.tf": "b"}
    for name, known in {
        "texts": configuration.write(files, inside),
        "archive": unpack(packed(files, prefix="./"), inside).files,
    }.items():
        configuration.begin(inside, "sub", "terraform")
        (inside / "kept.txt").write_text("new")
        (inside / "sub" / "made.sh").write_text("#!/bin/sh")
        (inside / "sub" / "made.sh").chmod(0o755)
        (inside / ".terraform").mkdir(exist_ok=True)
        (inside / ".terraform" / "provider").write_text("large")
        (inside / "sub" / ".terraform.lock.hcl").write_text("lock")
        other = tmp_path / name
        other.mkdir()
        extras = archive.pack(inside, {path: entry.sha256 for path, entry in known.items()})
        unpack(extras, other, archive.EXTRAS)
        made = {path.relative_to(other).as_posix(): path.read_text() for path in other.rglob("*") if path.is_file()}
        assert made == {"kept.txt": "new", "sub/made.sh": "#!/bin/sh"}
        assert (other / "sub/made.sh").stat().st_mode & 0o777 == 0o700


def test_a_link_that_the_plan_made_stays_behind(inside: Path) -> None:
    (inside / "link").symlink_to("/etc/passwd")
    assert archive.pack(inside, {}) == b""


def test_what_is_packed_of_many_small_files_can_be_unpacked(inside: Path, tmp_path: Path) -> None:
    for number in range(200):
        (inside / f"{number:03d}").write_bytes(b"x" * 13)
    other = tmp_path / "other"
    other.mkdir()
    beside = (archive.EXTRAS.bytes - archive.BYTES) * 200 // tarball.FILES
    unpack(archive.pack(inside, {}), other, replace(archive.EXTRAS, bytes=200 * 13 + beside))
    assert len(list(other.iterdir())) == 200


def test_without_extras_there_is_no_archive(inside: Path) -> None:
    known = configuration.write({"main.tf": "a"}, inside)
    assert archive.pack(inside, {path: entry.sha256 for path, entry in known.items()}) == b""
