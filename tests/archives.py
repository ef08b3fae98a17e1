"""Archives as people make them, and as nobody should."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from typing import Any


def packed(files: Mapping[str, str | bytes], *, prefix: str = "", form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar.gz of the files; `prefix` stands before each name, as in `tar czf x.tgz .`."""
    members = [
        member(f"{prefix}{name}", text.encode() if isinstance(text, str) else text) for name, text in files.items()
    ]
    return tar(*members, form=form)


def member(name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE, **facts: Any) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member and its content; `facts` are further fields of its header."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data) if kind == tarfile.REGTYPE else 0
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info, data


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT, compresslevel: int = 6) -> bytes:
    """Return a tar.gz of the members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as file:
        for info, data in members:
            file.addfile(info, io.BytesIO(data) if info.size else None)
    return gzip.compress(buffer.getvalue(), compresslevel)


def raw(*blocks: bytes) -> bytes:
    """Return a tar.gz of blocks as they are: headers (512 bytes) and contents, which are filled up to 512 bytes."""
    filled = b"".join(block + b"\0" * (-len(block) % 512) for block in blocks)
    return gzip.compress(filled + b"\0" * 1024)
