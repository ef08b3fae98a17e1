"""What is different between two versions of a configuration: by path and digest, for texts line by line too."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from iacplatform.base.problems import Problem
from workspaces import manifests
from workspaces.manifests import Entry
from workspaces.models import Configuration

MOST_FILES = 2_000
"""Files that a difference names."""

MOST_LINES = 2_000
"""Of the two texts of one file together, that are compared line by line: the time for it grows with their square."""

MOST_COMPARED = 10_000
"""Lines of all texts together."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")

Change = Literal["added", "removed", "changed"]


class NotUnpacked(Problem):
    """What lies in an archive is not known yet."""

    code = "not_unpacked"


@dataclass(frozen=True, kw_only=True)
class Different:
    """A file of which the two versions have not the same.

    `entry`: its later one, of a removed file the earlier; `diff`: unified, None where none is shown.
    """

    path: str
    change: Change
    entry: Entry
    before: Entry | None
    after: Entry | None
    diff: str | None = None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`left_out`: files beyond those that are named; `has_all_diffs`: each named file has its lines."""

    before: Configuration
    after: Configuration
    files: list[Different]
    left_out: int
    has_all_diffs: bool

    def of(self, change: Change) -> list[Different]:
        """Return the files that were changed so."""
        return [file for file in self.files if file.change == change]

    @property
    def note(self) -> str:
        """A sentence about what is not shown, empty where all is."""
        if self.left_out:
            return f"{self.left_out:,} more files are different; {MOST_FILES:,} are named."
        if self.before.is_archive or self.after.is_archive:
            return "Archives are compared by path and digest; download both to compare their lines."
        return "" if self.has_all_diffs else "Large files are compared by digest only."


def between(before: Configuration, after: Configuration) -> Difference:
    """Return what `after` has otherwise than `before`. Raises `NotUnpacked`."""
    pairs = list(_pairs(_known(before), _known(after)))
    lines = _Lines(before.files or {}, after.files or {})
    files = [lines.compared(file) for file in pairs[:MOST_FILES]]
    left_out = max(0, len(pairs) - MOST_FILES)
    has_all = all(file.diff is not None for file in files)
    return Difference(before=before, after=after, files=files, left_out=left_out, has_all_diffs=has_all)


def _known(version: Configuration) -> dict[str, Entry]:
    known = manifests.of(version)
    if known is None:
        raise NotUnpacked(manifests.missing(version))
    return known


def _pairs(before: dict[str, Entry], after: dict[str, Entry]) -> Iterator[Different]:
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old != new:
            yield Different(path=path, change=_change(old, new), entry=new or before[path], before=old, after=new)


def _change(before: Entry | None, after: Entry | None) -> Change:
    if before is None:
        return "added"
    return "changed" if after else "removed"


@dataclass
class _Lines:
    before: dict[str, str]
    after: dict[str, str]
    left: int = field(default=MOST_COMPARED)

    def compared(self, file: Different) -> Different:
        """Return the file with its diff, where both texts are here and not too long."""
        if (file.before and file.path not in self.before) or (file.after and file.path not in self.after):
            return file
        old, new = (_LINE.findall(texts.get(file.path, "")) for texts in (self.before, self.after))
        count = len(old) + len(new)
        if count > min(MOST_LINES, self.left):
            return file
        self.left -= count
        return Different(**{**vars(file), "diff": _unified(file, old, new)})


def _unified(file: Different, old: list[str], new: list[str]) -> str:
    names = (f"a/{file.path}" if file.before else "/dev/null", f"b/{file.path}" if file.after else "/dev/null")
    return "".join(map(_ended, difflib.unified_diff(old, new, *names)))


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
