"""Workspaces and tasks in words, each of them a request to the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.e2e.client import Client, Row
from tests.waiting import until

FINAL = ("success", "applied", "discarded", "failed", "cancelled")
TASK_SECONDS = 90.0


@dataclass(frozen=True)
class Workspace:
    """A workspace, by its API."""

    client: Client
    id: str

    @classmethod
    def new(cls, client: Client, files: Mapping[str, str] | None = None, **facts: Any) -> "Workspace":
        """Return a new workspace with this configuration."""
        row = client.post("/workspaces", {"name": f"e2e-{uuid4().hex[:8]}", **facts}, status=201)
        workspace = cls(client, row["workspace_id"])
        if files:
            workspace.configure(files)
        return workspace

    @property
    def path(self) -> str:
        """Where it is, below `/api/v1`."""
        return f"/workspaces/{self.id}"

    def row(self) -> Row:
        """Return it as it is now."""
        row: Row = self.client.get(self.path)
        return row

    def configure(self, files: Mapping[str, str]) -> None:
        """Upload a new version of its configuration."""
        self.client.post(f"{self.path}/configurations", {"files": dict(files)}, status=201)

    def set(self, key: str, value: str, **facts: Any) -> Row:
        """Add a variable."""
        body = {"key": key, "value": value, "category": "terraform", **facts}
        row: Row = self.client.post(f"{self.path}/variables", body, status=201)
        return row

    def task(self, task_type: str = "plan_and_apply", **facts: Any) -> "Task":
        """Return a new task of it."""
        row = self.client.post(f"{self.path}/tasks", {"task_type": task_type, **facts}, status=201)
        return Task(self, row["id"])

    def states(self) -> list[Row]:
        """Return its state versions."""
        rows: list[Row] = self.client.get(f"{self.path}/state-versions")["results"]
        return rows

    def state(self) -> Row | None:
        """Return its state as terraform would read it; None while it has none."""
        answer = self.client.send("GET", f"{self.path}/state")
        row: Row | None = answer.json() if answer.status_code == 200 and answer.content else None
        return row


@dataclass(frozen=True)
class Task:
    """A task, by its API."""

    workspace: Workspace
    id: int

    @property
    def client(self) -> Client:
        """Who asks."""
        return self.workspace.client

    @property
    def path(self) -> str:
        """Where it is, below `/api/v1`."""
        return f"{self.workspace.path}/tasks/{self.id}"

    def row(self) -> Row:
        """Return it as it is now."""
        row: Row = self.client.get(self.path)
        return row

    def until(self, *statuses: str, seconds: float = TASK_SECONDS) -> Row:
        """Return the row once it has one of the statuses; a final one that is not among them ends the wait at once."""

        def seen() -> Row | None:
            row = self._row_or_none()
            if row and row["status"] in FINAL and row["status"] not in statuses:
                raise AssertionError(f"task {self.id} became {row['status']}: {self.story()}")
            return row if row and row["status"] in statuses else None

        try:
            return until(f"task {self.id} is {' or '.join(statuses)}", seen, seconds=seconds)
        except AssertionError as error:
            error.add_note(self.story())
            raise

    def until_stage(self, stage: str, *, seconds: float = TASK_SECONDS) -> Row:
        """Return the row once its phase is that far."""
        return until(
            f"task {self.id} is {stage}",
            lambda: row if (row := self.row())["stage"] == stage else None,
            seconds=seconds,
        )

    def confirm(self, **body: Any) -> Row:
        """Confirm its plan; return the answer, which must say 202."""
        row: Row = self.client.post(f"{self.path}/confirm-apply", body, status=202)
        return row

    def do(self, verb: str, **body: Any) -> Row:
        """Do one of its verbs, and return the answer."""
        row: Row = self.client.post(f"{self.path}/{verb}", body)
        return row

    def hurry(self) -> None:
        """Let it go on before the end of its pause; where that is over by now, it does so already."""
        answer = self.client.send("POST", f"{self.path}/retry", {})
        assert answer.status_code in {200, 202, 409}, answer.text

    def happened(self, event: str) -> list[Row]:
        """Return what its history says of one kind of event, the oldest first."""
        return [move for move in self.events() if move["event"] == event]

    def events(self) -> list[Row]:
        """Return its history, the oldest move first."""
        rows: list[Row] = self.client.get(f"{self.path}/events")["results"]
        return rows

    def explain(self) -> Row:
        """Return what each gate says of it."""
        row: Row = self.client.get(f"{self.path}/explain")
        return row

    def log(self, phase: str) -> str:
        """Return the whole log of a phase, read piece by piece until it says that it is complete."""
        return until(f"the log of task {self.id} is complete", lambda: self._whole_log(phase) or None).decode()

    def log_now(self, phase: str) -> bytes:
        """Return what there is of a phase's log."""
        return self.client.send("GET", f"{self.path}/log", params={"phase": phase}).content

    def story(self) -> str:
        """Return all that is known about it, for a failing test."""
        row = self._row_or_none()
        if row is None:
            return f"task {self.id}: the platform does not answer"
        moves = [
            f"  {each['at']} {each['from']} > {each['to']} ({each['event']}): {each['reason']}"
            for each in self.events()
        ]
        logs = [f"--- {phase} log\n{self.log_now(phase).decode(errors='replace')}" for phase in ("plan", "apply")]
        return "\n".join([f"task: {row}", *moves, *logs])

    def _row_or_none(self) -> Row | None:
        """Return the row, None while the platform is being restarted."""
        try:
            answer = self.client.send("GET", self.path)
        except httpx.TransportError:
            return None
        row: Row | None = answer.json() if answer.is_success else None
        return row

    def _whole_log(self, phase: str) -> bytes | None:
        whole, is_complete, offset = b"", False, 0
        while not is_complete:
            piece = self.client.send("GET", f"{self.path}/log", params={"phase": phase, "offset": offset})
            assert piece.status_code == 200, piece.text
            whole, offset = whole + piece.content, int(piece.headers["X-Log-Offset"])
            is_complete = piece.headers["X-Log-Complete"] == "true"
            if not piece.content and not is_complete:
                return None
        return whole
