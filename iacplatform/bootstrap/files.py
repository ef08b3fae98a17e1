"""Small private files: whole or absent, readable by their owner alone."""

import secrets
from pathlib import Path


def read(file: Path) -> str:
    """Return the text of `file`, empty when there is none."""
    return file.read_text().strip() if file.exists() else ""


def write(file: Path, text: str) -> None:
    """Put `text` in the place of what `file` held, with mode 600."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(file)
