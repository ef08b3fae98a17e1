"""Which files make a configuration. Every rule is asked before anything is stored."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from workspaces import hcl, paths
from workspaces.hcl import Fault
from workspaces.models import Engine

MOST_FILES = 2_000
MOST_CHARACTERS = 1024 * 1024
TOO_LARGE = f"Texts have at most {MOST_CHARACTERS:,} characters together. Upload it as an archive."
MOST_PARSED = 128 * 1024
"""Characters of one upload that are parsed whole, about half a second of work; of more only the outline is judged."""

_ENDINGS = {
    Engine.TERRAFORM: (".tf", ".tf.json"),
    Engine.TOFU: (".tf", ".tf.json", ".tofu", ".tofu.json"),
}
_HCL = (".tf", ".tofu", ".tfvars")
_JSON = (".tf.json", ".tofu.json", ".tfvars.json")

Files = Mapping[str, str]


def faults(files: Files, *, folder: str, engine: str) -> dict[str, str]:
    """Return a sentence for each file that is refused; for "files" where the whole is. Empty: they can be stored.

    `folder`: where the engine runs. Only its files have to parse: what others are for, only the engine knows.
    """
    if len(files) > MOST_FILES:
        return {"files": f"A configuration has at most {MOST_FILES:,} files."}
    if sum(map(len, files.values())) > MOST_CHARACTERS:
        return {"files": TOO_LARGE}
    by_path = {
        f"files.{path}": fault
        for path in files
        if (fault := paths.fault_of(path) or _collision(path, files) or _reserved(path))
    }
    return by_path or _missing(files, folder, engine) or dict(_unparsed(files, folder))


def _collision(path: str, files: Files) -> str:
    file = next((str(each) for each in PurePosixPath(path).parents if str(each) in files), "")
    return f"{file} is a file, so it cannot be a folder too." if file else ""


def _reserved(path: str) -> str:
    """Return why an agent would refuse the name: it, or the engine, writes such a file itself."""
    parts = PurePosixPath(path.casefold()).parts
    if any(part.startswith("iacplatform_backend_override.") for part in parts):
        return "A name that begins with iacplatform_backend_override. is what the agent needs itself; take another one."
    if parts[-1] in {"errored.tfstate", ".terraform.tfstate.lock.info"}:
        return f"{parts[-1]} is what an engine leaves after a failure; leave it out."
    return ""


def _missing(files: Files, folder: str, engine: str) -> dict[str, str]:
    endings = _ENDINGS[Engine(engine)]
    if any(path.endswith(endings) for path in _inside(files, folder)):
        return {}
    where = f"the working directory {folder}" if folder else "the top folder"
    return {"files": f"There is no file that ends in {' or '.join(endings)} in {where}; {engine} would find nothing."}


def _unparsed(files: Files, folder: str) -> Iterator[tuple[str, str]]:
    left = MOST_PARSED
    for path in _inside(files, folder):
        left -= len(files[path])
        if fault := _fault(path, files[path], whole=left >= 0):
            yield f"files.{path}", f"{path} line {fault.line}: {fault.sentence}"


def _inside(files: Files, folder: str) -> list[str]:
    return sorted(path for path in files if PurePosixPath(path).parent == PurePosixPath(folder))


def _fault(path: str, text: str, *, whole: bool) -> Fault | None:
    if path.endswith(_JSON):
        return hcl.json_fault(text)
    if path.endswith(_HCL):
        return hcl.fault(text) if whole else hcl.outline_fault(text)
    return None
