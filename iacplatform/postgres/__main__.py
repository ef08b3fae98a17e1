"""`python -m iacplatform.postgres --home DIR`: the embedded server in the foreground.

Prints `ready` when it accepts connections. SIGTERM and SIGINT stop it with status 0; when it fails or ends by itself:
one line on standard error and status 1.
"""

import argparse
import signal
import sys
from pathlib import Path

from iacplatform.postgres import Launcher, PostgresError


def main() -> int:
    """Run the server until it ends or a signal comes; return the exit status."""
    home = _home()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return _run(Launcher(home))
    except PostgresError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return 0


def _run(launcher: Launcher) -> int:
    try:
        launcher.start()
        print("ready", flush=True)
        return _complain(launcher.wait())
    finally:
        # A second Ctrl-C must not cut the shutdown short; it is bounded anyway.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        launcher.stop()


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


def _home() -> Path:
    parser = argparse.ArgumentParser(prog="python -m iacplatform.postgres", description="Run the embedded PostgreSQL.")
    parser.add_argument("--home", type=Path, required=True, help="the platform's data folder (IACPLATFORM_HOME)")
    given: Path = parser.parse_args().home
    return given


if __name__ == "__main__":
    sys.exit(main())
