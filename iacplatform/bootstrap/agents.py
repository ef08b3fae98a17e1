"""The token of the built-in agents: kept in a file of the data folder that only its owner reads."""

import socket
from pathlib import Path

from iacplatform.bootstrap import files
from pools.models import Pool, PoolToken


def ensure_token(file: Path) -> None:
    """Leave a token in `file` that lets agents into the pool `local`; one that still does is kept."""
    pool = Pool.objects.local()
    kept = files.read(file)
    if not kept or not PoolToken.objects.valid().matching(kept).filter(pool=pool).exists():
        _, text = PoolToken.issue(pool=pool, name=f"built-in agents of {socket.gethostname()}"[:90])
        files.write(file, text)
