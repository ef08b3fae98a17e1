"""Looking at pages as people do: by text, by element and by form."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any, Protocol

from django.test import Client

from tasks.models import Task


class Answer(Protocol):
    """A page as the test client gives it."""

    status_code: int

    @property
    def content(self) -> bytes:
        """The page."""

    def __getitem__(self, header: str, /) -> str:
        """Return a header."""


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields = self.found.setdefault(named.get("action", ""), {})
        elif tag == "input" and self._fields is not None and "name" in named:
            self._fields[named["name"]] = named.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None


def forms(answer: Answer) -> dict[str, dict[str, str]]:
    """Return the fields of each form on the page, with their values, by the form's address."""
    parser = _Forms()
    parser.feed(answer.content.decode())
    return parser.found


def text(answer: Answer) -> str:
    """Return what a person reads on the page, each run of white space as one space."""
    body = answer.content.decode().partition("<body>")[2] or answer.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def stuck(answer: Answer) -> dict[str, str]:
    """Return the text of each element that says that something is stuck, by its code."""
    page = answer.content.decode()
    found = re.finditer(r'<div class="turn"[^>]*data-stuck="(\w+)"[^>]*>(.*?)</section>', page, re.DOTALL)
    return {each[1]: " ".join(unescape(re.sub(r"<[^>]+>", " ", each[2])).split()) for each in found}


def address(task: Task, verb: str = "") -> str:
    """Return the address of the task's page, or of one of its verbs."""
    return f"/workspaces/{task.workspace_id}/tasks/{task.pk}" + (f"/{verb}" if verb else "")


def actions(answer: Answer, task: Task) -> set[str]:
    """Return the verbs that the page offers for the task."""
    start = address(task) + "/"
    return {action.removeprefix(start) for action in forms(answer) if action.startswith(start)}


def press(console: Client, task: Task, verb: str, **typed: Any) -> Answer:
    """Open the task's page, fill in the verb's form and send it; return the answer."""
    fields = forms(console.get(address(task)))[address(task, verb)]
    return console.post(address(task, verb), {**fields, **typed})
