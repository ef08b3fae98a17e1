"""The words that agents and the server say to each other, version 1.

One JSON object a WebSocket message; `type` names the word, every other member is a field of its dataclass. The schema
is closed: an unknown word, an unknown or missing field, a wrong type or an oversize value is a `ProtocolError` that
says which. Who speaks is known from the connection alone, so no word carries an identity. Words about an attempt carry
its task and epoch, and the server refuses those of an older epoch. Bulk data (configuration, plan, state) does not
travel here: it goes over HTTP with the token that `Start` brings.

Where no socket is open to the agent any more (its pool token was revoked), an attempt speaks for itself: `POST
/agents/v1/attempt/words` with that same token takes one `Log`, `Progress`, `AskPermit` or `Finished` of the attempt and
answers a list of words. Each counts as a heartbeat; a permit that was not granted before is refused there (`Stop`). Of
an attempt that is over it takes `Log` and `Finished`, which are kept as evidence.

Used by the server and by the agent program, so it imports neither Django nor anything of ours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

VERSIONS = ("1",)
"""Protocol versions that this code speaks, newest first."""

MESSAGE_BYTES = 256 * 1024
"""Largest message; daphne closes a socket at 1 MiB, so we refuse earlier and say why."""

LOG_BATCH_BYTES = 64 * 1024
"""Most log bytes in one `Log`, before base64 (design section 10)."""

TEXT_CHARACTERS = 128 * 1024
"""Longest string of any field: a full log batch in base64 fits."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL and halves of surrogate pairs: JSON can carry them, no database and no UTF-8 can."""

HEARTBEAT_SECONDS = 10
"""At most; a server with shorter leases asks for more of them in its `Welcome`."""

EngineName = Literal["terraform", "tofu"]
Phase = Literal["plan", "apply"]
Stage = Literal["preparing", "initializing", "planning", "applying", "saving", "cancelling"]
Outcome = Literal["planned", "applied", "failed", "cancelled", "stale", "killed"]


class ProtocolError(Exception):
    """The message is not a word of this protocol."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """An attempt that the agent still has: it runs, or its result was not acknowledged yet."""

    task: int
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A terraform or tofu binary that the agent can run."""

    name: EngineName
    version: str


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Numbers of resources that a plan adds, changes and destroys; `outputs` of outputs that it changes."""

    add: int
    change: int
    destroy: int
    outputs: int = 0


@dataclass(frozen=True, kw_only=True)
class PlanFacts:
    """What the stored plan is bound to. `digest`: SHA-256 (hex) of the plan file, whose parts were uploaded before."""

    digest: str
    lineage: str  # of the state that was planned against; empty when there was none
    serial: int  # of that state; 0 when there was none
    engine: EngineName
    version: str
    os: str
    arch: str
    has_changes: bool  # -detailed-exitcode 2; outputs alone count
    changes: Changes


# Agent to server ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Hello:
    """The first word. `instance` is random and kept for the life of the agent's work folder."""

    versions: tuple[str, ...]
    name: str
    instance: str
    capacity: int  # slots, 1 to 64
    engines: tuple[Engine, ...]
    os: str
    arch: str
    agent_version: str
    work: tuple[Work, ...]
    pod_name: str = ""
    fetches: tuple[EngineName, ...] = ()  # engines of which it downloads the versions that it lacks


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """Sent every HEARTBEAT_SECONDS: the agent lives, and this is what it has.

    `engines`: all of them, when they are others than it said last; None: they are the same.
    """

    work: tuple[Work, ...]
    engines: tuple[Engine, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Accept:
    """The agent takes an offer; the answer is `Start`, or `Stop` when the offer is gone."""

    task: int
    epoch: int


@dataclass(frozen=True, kw_only=True)
class AskPermit:
    """Asked after init and just before `apply` is spawned. Asking again returns the same `Permit`."""

    task: int
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where the phase is. `total` is 0 while unknown; `done` of `total` resources."""

    task: int
    epoch: int
    stage: Stage
    done: int = 0
    total: int = 0


@dataclass(frozen=True, kw_only=True)
class Log:
    """Log bytes from `offset` on, base64. Sent again from the acknowledged offset after a reconnect."""

    task: int
    epoch: int
    offset: int
    data: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The attempt has ended and its whole log (`log_bytes`) was acknowledged. Answered by `Received`."""

    task: int
    epoch: int
    outcome: Outcome
    exit_code: int  # of the engine's last process; negative: the signal that killed it
    seconds: float  # wall clock, measured by the agent
    log_bytes: int
    error_code: str = ""
    error_message: str = ""
    plan: PlanFacts | None = None  # exactly with outcome `planned`


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """SIGTERM reached the agent: offer nothing more; it finishes what it has and goes."""


# Server to agent ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """The session is open. Attempts of `Hello.work` that are not in `keep` have to be stopped and forgotten."""

    version: str
    agent_id: str
    session: str
    heartbeat_seconds: float
    keep: tuple[Work, ...]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The server will not talk; the socket closes after it. `retry` says whether the same hello may work later."""

    code: str
    message: str
    retry: bool


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A slot of this agent is held for an attempt, until `accept_seconds` from now."""

    task: int
    epoch: int
    phase: Phase
    slot: int
    accept_seconds: float


@dataclass(frozen=True, kw_only=True)
class Start:
    """The attempt is this agent's. `token` opens the attempt's HTTP addresses and its workspace's state."""

    task: int
    epoch: int
    phase: Phase
    token: str


@dataclass(frozen=True, kw_only=True)
class Permit:
    """It is committed: the apply may be spawned, once."""

    task: int
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Not the agent's any more (or never): end it.

    Where an engine has run, the rest of the log and the result are still taken, as evidence; they move nothing.
    """

    task: int
    epoch: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """A person cancelled: one SIGINT, wait `grace_seconds`, then kill; report how it ended."""

    task: int
    epoch: int
    grace_seconds: float


@dataclass(frozen=True, kw_only=True)
class LogStored:
    """All bytes before `offset` are stored; send on from there."""

    task: int
    epoch: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class Received:
    """The result is stored (or was refused for good): forget the attempt."""

    task: int
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Drain:
    """Take nothing new, finish, leave: what SIGTERM does, said by the server."""


FromAgent = Hello | Heartbeat | Accept | AskPermit | Progress | Log | Finished | Leaving
FromServer = Welcome | Refused | Offer | Start | Permit | Stop | Cancel | LogStored | Received | Drain


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


FROM_AGENT: Mapping[str, type[Any]] = {_snake(word.__name__): word for word in get_args(FromAgent)}
FROM_SERVER: Mapping[str, type[Any]] = {_snake(word.__name__): word for word in get_args(FromServer)}


def dump(word: FromAgent | FromServer) -> str:
    """Return the message text of a word."""
    return json.dumps({"type": _snake(type(word).__name__), **asdict(word)}, separators=(",", ":"))


def parse_from_agent(text: str) -> FromAgent:
    """Return the agent's word, or raise `ProtocolError` that says what is wrong with the message."""
    word: FromAgent = _parse(text, FROM_AGENT)
    return word


def parse_from_server(text: str) -> FromServer:
    """Return the server's word, or raise `ProtocolError` that says what is wrong with the message."""
    word: FromServer = _parse(text, FROM_SERVER)
    return word


def _parse(text: str, words: Mapping[str, type[Any]]) -> Any:
    if len(text.encode(errors="replace")) > MESSAGE_BYTES:
        raise ProtocolError(f"A message may have {MESSAGE_BYTES} bytes at most.")
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("The message is not JSON.") from error
    if not isinstance(members, dict):
        raise ProtocolError("The message is not a JSON object.")
    name = members.pop("type", None)
    if not isinstance(name, str) or name not in words:
        raise ProtocolError(f"Unknown word {str(name)[:80]!r}; known are {', '.join(sorted(words))}.")
    return _record(members, words[name], name)


def _record(members: dict[str, Any], shape: type[Any], path: str) -> Any:
    hints = get_type_hints(shape)
    if unknown := sorted(members.keys() - hints.keys()):
        raise ProtocolError(f"{path} has no field {unknown[0][:80]!r}.")
    required = {field.name for field in fields(shape) if field.default is MISSING}
    if missing := sorted(required - members.keys()):
        raise ProtocolError(f"{path} lacks the field {missing[0]!r}.")
    return shape(**{key: _value(value, hints[key], f"{path}.{key}") for key, value in members.items()})


def _value(value: Any, hint: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return None if value is None else _value(value, next(h for h in get_args(hint) if h is not NoneType), path)
    if origin is Literal:
        return _choice(value, get_args(hint), path)
    if origin is tuple:
        return _sequence(value, get_args(hint)[0], path)
    if isinstance(hint, type) and is_dataclass(hint):
        if not isinstance(value, dict):
            raise ProtocolError(f"{path} must be an object.")
        return _record(value, hint, path)
    return _scalar(value, hint, path)


def _choice(value: Any, choices: tuple[Any, ...], path: str) -> Any:
    if not isinstance(value, str) or value not in choices:
        raise ProtocolError(f"{path} must be one of {', '.join(map(str, choices))}.")
    return value


def _sequence(value: Any, hint: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > 1000:
        raise ProtocolError(f"{path} must be a list of at most 1000.")
    return tuple(_value(item, hint, f"{path}[{index}]") for index, item in enumerate(value))


def _scalar(value: Any, hint: Any, path: str) -> Any:
    if hint is bool:
        if not isinstance(value, bool):
            raise ProtocolError(f"{path} must be true or false.")
    elif hint is str:
        if not isinstance(value, str) or len(value) > TEXT_CHARACTERS or _UNSTORABLE.search(value):
            raise ProtocolError(f"{path} must be text of at most {TEXT_CHARACTERS} characters without NUL.")
    elif isinstance(value, bool) or not isinstance(value, int | (float if hint is float else int)):
        raise ProtocolError(f"{path} must be a number.")
    elif not -(2**53) <= value <= 2**53:
        raise ProtocolError(f"{path} is out of range.")
    return value
