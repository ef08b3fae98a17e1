"""Output of engines at size: what is hard to bring in order, complete and byte-exact."""

from pathlib import Path

LINE_CHARACTERS = 1_500_000
"""Of a line that no memory should hold together."""


def pour(file: Path, megabytes: int) -> bytes:
    """Write so much output into a file, and return it: numbered lines, a very long one, bytes that are no text."""
    odd = "é" * LINE_CHARACTERS if megabytes > LINE_CHARACTERS // 500_000 else "é"
    lines = [b"\xff\x00 no text \xc3\n", f"{odd}\n".encode()]
    size, number = sum(map(len, lines)), 0
    while size < megabytes * 1_000_000:
        lines.append(f"{number:09} {'ß' * (number % 80)}\n".encode())
        size, number = size + len(lines[-1]), number + 1
    file.write_bytes(whole := b"".join(lines))
    return whole
