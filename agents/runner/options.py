"""How an agent is told what it is: the command line first, then the environment."""

import argparse
import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from agents.runner import releases
from agents.runner.errors import BadConfiguration
from agents.runner.releases import MAKERS, Mirror

CAPACITY_RANGE = range(1, 65)
ROOM_MIB_RANGE = range(1, 1024 * 1024 + 1)
DOWNLOAD_SECONDS_RANGE = range(1, 24 * 3600 + 1)
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,89}")


@dataclass(frozen=True, kw_only=True)
class Options:
    """A checked configuration. `server` has no trailing slash; `cli_config` is an existing file.

    `task_bytes`: most that the folder of one task may hold; `kept_bytes`: most that all else there may.
    `has_shared_tasks`: tasks may read each other's.
    `mirrors`: by engine, where it is downloaded from; `download_seconds`: how long that may take.
    """

    server: str
    name: str
    capacity: int
    workdir: Path
    cli_config: Path | None
    mirrors: Mapping[str, Mirror]
    download_seconds: int
    task_bytes: int
    kept_bytes: int
    has_shared_tasks: bool
    pod_name: str
    token: str = field(repr=False)
    token_file: Path | None

    def current_token(self) -> str:
        """Return the pool token; a token file is read each time, so that it can be rotated under a running agent."""
        return self.token or _token_in(self.token_file)


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Return the options, or raise `BadConfiguration` with a sentence that says what to give."""
    given = _parser().parse_args(arguments)
    name = _name(given.name or environment.get("IAC_AGENT_NAME") or _host_name())
    token = given.token or environment.get("IAC_AGENT_TOKEN", "")
    options = Options(
        server=_server(given.server or environment.get("IAC_SERVER", "")),
        name=name,
        capacity=_number("capacity", CAPACITY_RANGE, given.capacity or environment.get("IAC_AGENT_CAPACITY", "1")),
        workdir=_workdir(given.workdir or environment.get("IAC_AGENT_WORKDIR", ""), name, environment),
        cli_config=_cli_config(environment.get("IAC_AGENT_CLI_CONFIG", "")),
        mirrors={engine: _mirror(engine, given, environment) for engine in MAKERS},
        download_seconds=_number(
            "time for a download, in seconds,",
            DOWNLOAD_SECONDS_RANGE,
            environment.get("IAC_AGENT_DOWNLOAD_SECONDS", "600"),
        ),
        task_bytes=_mebibytes("room for a task", environment.get("IAC_AGENT_TASK_MIB", "16384")),
        kept_bytes=_mebibytes("room for what is kept", environment.get("IAC_AGENT_KEPT_MIB", "16384")),
        has_shared_tasks=_is_true("IAC_AGENT_SHARED_TASKS", environment),
        pod_name=environment.get("IAC_AGENT_POD_NAME", ""),
        token=token.strip(),
        token_file=_path(environment.get("IAC_AGENT_TOKEN_FILE", "")),
    )
    options.current_token()
    return options


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise BadConfiguration(f"{message[:1].upper()}{message[1:]}. See python -m agents.runner --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m agents.runner", description="Runs Terraform and OpenTofu for a pool of iacplatform."
    )
    parser.add_argument("--server", help="address of the platform, like https://iac.example.com (IAC_SERVER)")
    parser.add_argument(
        "--token",
        help="pool token; others on the machine can read it here: IAC_AGENT_TOKEN_FILE or IAC_AGENT_TOKEN is better",
    )
    parser.add_argument(
        "--name", help="name of this agent, unique in its pool (IAC_AGENT_NAME; default: the host's name)"
    )
    parser.add_argument("--capacity", help="tasks at the same time, 1 to 64 (IAC_AGENT_CAPACITY; default: 1)")
    parser.add_argument(
        "--workdir", help="folder of this agent alone (IAC_AGENT_WORKDIR; default: by name, in your state folder)"
    )
    for engine, maker in MAKERS.items():
        parser.add_argument(
            f"--{engine}-mirror",
            help=f"where a missing version of {engine} is downloaded from, empty: not at all "
            f"({releases.mirror_variable(engine)}; default: {maker.address})",
        )
    return parser


def _server(address: str) -> str:
    if not address:
        raise BadConfiguration("No server was given: set IAC_SERVER or --server to the platform's address.")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise BadConfiguration(
            "The server must be an http or https address without user or query, like https://iac.example.com."
        )
    return address.rstrip("/")


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BadConfiguration("The agent's name may have 1 to 90 letters, digits, _ and -, with no leading dash.")
    return name


def _host_name() -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname()).strip("-")[:90]


def _number(what: str, allowed: range, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in allowed:
        raise BadConfiguration(f"The {what} must be a whole number from {allowed.start} to {allowed.stop - 1}.")
    return int(text)


def _is_true(name: str, environment: Mapping[str, str]) -> bool:
    value = environment.get(name) or "false"
    if value not in ("true", "false"):
        raise BadConfiguration(f"{name} must be true or false.")
    return value == "true"


def _mebibytes(what: str, text: str) -> int:
    return _number(f"{what}, in MiB,", ROOM_MIB_RANGE, text) * 1024 * 1024


def _workdir(text: str, name: str, environment: Mapping[str, str]) -> Path:
    if text:
        return Path(text).absolute()
    state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state).absolute() / "iacplatform" / "agents" / name


def _mirror(engine: str, given: argparse.Namespace, environment: Mapping[str, str]) -> Mirror:
    """Return where an engine comes from; an address that is given empty is one."""
    by_option: str | None = getattr(given, f"{engine}_mirror")
    by_variable = environment.get(releases.mirror_variable(engine))
    version = environment.get(releases.version_variable(engine), "")
    return releases.mirror(engine, by_variable if by_option is None else by_option, version)


def _cli_config(text: str) -> Path | None:
    path = _path(text)
    if path and not (path.is_file() and os.access(path, os.R_OK)):
        raise BadConfiguration(f"IAC_AGENT_CLI_CONFIG names {path}, which is not a file that this user can read.")
    return path


def _path(text: str) -> Path | None:
    return Path(text).absolute() if text else None


def _token_in(path: Path | None) -> str:
    if path is None:
        raise BadConfiguration("No pool token was given: set IAC_AGENT_TOKEN_FILE or IAC_AGENT_TOKEN.")
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"The token file {path} cannot be read: {type(error).__name__}.") from error
    if not token:
        raise BadConfiguration(f"The token file {path} is empty.")
    return token
