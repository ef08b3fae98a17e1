"""Users with little patience: they make tasks, read what is offered, and press it, sometimes twice."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.chaos.answers import CREATED, Answers
from tests.e2e.platform import TOKEN

ANSWER_SECONDS = 15
PAUSE_SECONDS = (0.2, 1.5)
MOST_LIVE = 3
"""Tasks of one workspace that are not final, above which nobody makes another."""

EAGERNESS = {
    "confirm-apply": 12,
    "retry": 3,
    "mark-failed": 4,
    "release-lock": 4,
    "unlock": 6,
    "discard": 1,
    "cancel": 1,
    "force-cancel": 1,
}
"""How often each button is pressed where it is offered; waiting is one more choice."""

BORED = 8
FINAL = {"success", "applied", "discarded", "failed", "cancelled"}

Row = dict[str, Any]


class Person:
    """One of them; what `chance` says is the same for the same seed, what it meets is not."""

    def __init__(self, url: str, workspaces: Sequence[str], answers: Answers, chance: random.Random) -> None:
        self._workspaces = workspaces
        self._answers = answers
        self._chance = chance
        self._http = httpx.AsyncClient(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=ANSWER_SECONDS,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def live(self) -> None:
        """Do one thing after another, for ever."""
        async with self._http:
            while True:
                await asyncio.sleep(self._chance.uniform(*PAUSE_SECONDS))  # a person, reading
                await self._do_something()

    async def _do_something(self) -> None:
        page = await self._send("GET", "/tasks")
        rows: list[Row] = page["results"] if page else []
        luck = self._chance.random()
        if luck < 0.3 or not rows:
            await self._create(rows)
        elif luck < 0.36:
            await self._meddle(self._chance.choice(self._workspaces))
        else:
            await self._press(self._chance.choice(_urgent(rows) if luck < 0.7 else _to_confirm(rows)))

    async def _create(self, rows: Sequence[Row]) -> None:
        workspace = self._chance.choice(self._workspaces)
        live = [row for row in rows if row["workspace_id"] == workspace and row["status"] not in FINAL]
        if len(live) < MOST_LIVE:
            task_type = self._chance.choice(["plan", "plan_and_apply", "plan_and_apply", "plan_and_apply"])
            made = await self._send("POST", f"/workspaces/{workspace}/tasks", {"task_type": task_type})
            if made:
                self._answers.promised(CREATED, made["id"])

    async def _press(self, row: Row) -> None:
        """Press one of the buttons that the task shows, or none."""
        offered = [name for name in row["actions"] if name in EAGERNESS]
        weights = [BORED, *(EAGERNESS[name] for name in offered)]
        button = self._chance.choices(["", *offered], weights)[0]
        times = 2 if self._chance.random() < 0.15 else 1
        if button:
            await asyncio.gather(*(self._pressed(button, row) for _ in range(times)))

    async def _pressed(self, button: str, row: Row) -> None:
        where = f"/workspaces/{row['workspace_id']}"
        if button == "unlock":
            await self._send("POST", f"{where}/unlock")
            return
        digest = row["plan_digest"] if button == "confirm-apply" else ""
        if digest:
            self._answers.confirming(row["id"], digest)
        answer = await self._send("POST", f"{where}/tasks/{row['id']}/{button}", _body(button, digest))
        if answer:
            self._remember(button, row, answer, digest)

    def _remember(self, button: str, row: Row, answer: Row, digest: str) -> None:
        if button != "retry":
            self._answers.promised(button, row["id"], digest)
        elif answer["id"] != row["id"]:
            self._answers.promised(CREATED, answer["id"])

    async def _meddle(self, workspace: str) -> None:
        """Lock a workspace for a while, or put another state under the feet of its plans."""
        if self._chance.random() < 0.5:
            locked = await self._send("POST", f"/workspaces/{workspace}/lock", {"reason": "Hands off."})
            await asyncio.sleep(self._chance.uniform(0, 4))  # the while for which it is locked
            if locked:
                await self._send("POST", f"/workspaces/{workspace}/unlock")
        else:
            await self._upload(workspace)

    async def _upload(self, workspace: str) -> None:
        page = await self._send("GET", f"/workspaces/{workspace}/state-versions")
        if page and page["results"]:
            newest = page["results"][0]
            state = {"version": 4, "serial": newest["serial"] + 1, "lineage": newest["lineage"]}
            where = f"/workspaces/{workspace}/state-versions"
            await self._send("POST", where, {**state, "outputs": {}, "resources": []})

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Row | None:
        """Return the answer where it is a good one; every answer is noted."""
        what = f"{method} {path}"
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            self._answers.note(what, 0, type(error).__name__)
            return None
        self._answers.note(what, answer.status_code, "" if answer.is_success else answer.text)
        row: Row | None = answer.json() if answer.is_success and answer.content else None
        return row


def _urgent(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the tasks that are not final, or else all: old ones are seldom looked at."""
    return [row for row in rows if row["status"] not in FINAL] or rows


def _to_confirm(rows: Sequence[Row]) -> Sequence[Row]:
    return [row for row in rows if "confirm-apply" in row["actions"]] or _urgent(rows)


def _body(button: str, digest: str) -> Row:
    if button == "confirm-apply":
        return {"plan_digest": digest}
    return {"reason": "Seen enough."} if button in {"mark-failed", "release-lock"} else {}
