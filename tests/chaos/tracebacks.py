"""Tracebacks in what the processes wrote, and which of them are no news while processes and links break."""

import re
from collections import Counter
from pathlib import Path

_BEGIN = "Traceback (most recent call last):"
_END = re.compile(r"^[A-Za-z_][\w.]*(?::.*)?$")

EXPECTED = re.compile(
    r"(psycopg(_pool)?\.|django\.db\.utils\.(OperationalError|InterfaceError|InternalError: terminating connection)"
    r"|ConnectionError|ConnectionResetError|ConnectionRefusedError|BrokenPipeError|TimeoutError|KeyboardInterrupt|asyncio\.exceptions\.CancelledError"
    r"|websockets\.|autobahn\.exception\.Disconnected|httpx\.|httpcore\."
    r"|RuntimeError: Q Cluster [\w-]+ failed to start: sentinel exited"
    r"|agents\.sweep\.RowsFailed)"
)
"""Errors of connections, and of being ended. A worker that starts while the database is away says why in its sentinel's
own traceback, and a step of the sweep in those of its rows, which are judged too; the last says only that they failed."""

HANDLED = "During handling of the above exception"
OF_CLUSTER = re.compile(r"^pools\.errors\.")
"""What a cluster answered is no news where somebody was about to deal with it, and lost the database meanwhile."""


def ends(logs: Path) -> Counter[str]:
    """Return the last line of each traceback in a folder of logs, with the log's name before it."""
    return Counter(f"{log.stem}: {end}" for log in sorted(logs.glob("*.log")) for end in _ends(log))


def unexpected(logs: Path) -> Counter[str]:
    """Return those that are no error of a connection."""
    return Counter({end: count for end, count in ends(logs).items() if not EXPECTED.search(end)})


def _ends(log: Path) -> list[str]:
    found, inside = [], False
    for line in log.read_text(errors="replace").splitlines():
        if _BEGIN in line:
            inside = True
        elif inside and not line.startswith((" ", "\t")) and _END.match(line):
            found.append(line[:200])
            inside = False
        elif line.startswith(HANDLED) and found and OF_CLUSTER.match(found[-1]):
            found.pop()
    return found
