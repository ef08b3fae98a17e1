"""The console as a person's browser sees it: logged in, pages read, their forms filled in and sent."""

from typing import Self

import httpx

from tests.console import pages
from tests.e2e.platform import PASSWORD, Platform
from tests.e2e.work import Task


class Page:
    """A page as `tests.console.pages` reads it. `address`: where it was found, after all redirections."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status_code = answer.status_code
        self.address = answer.url.path
        self._answer = answer

    @property
    def content(self) -> bytes:
        """The page."""
        return self._answer.content

    def __getitem__(self, header: str, /) -> str:
        value: str = self._answer.headers[header]
        return value


class Console:
    """A browser of the administrator's, logged in."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    @classmethod
    def of(cls, platform: Platform) -> Self:
        """Log in by the form."""
        console = cls(httpx.Client(base_url=platform.url, follow_redirects=True, timeout=60))
        fields = next(iter(pages.forms(console.get("/login/")).values()))
        page = console._send("/login/", {**fields, "username": "admin", "password": PASSWORD})
        assert "/login/" not in page.address, pages.text(page)
        return console

    def get(self, path: str) -> Page:
        """Open a page, which must be there."""
        page = Page(self._http.get(path))
        assert page.status_code == 200, page.content
        return page

    def task(self, task: Task) -> Page:
        """Open a task's page."""
        return self.get(task.path)

    def press(self, task: Task, verb: str, **typed: str) -> Page:
        """Open a task's page, fill in the verb's form and send it; return the page that follows."""
        address = f"{task.path}/{verb}"
        return self._send(address, {**pages.forms(self.task(task))[address], **typed})

    def _send(self, path: str, fields: dict[str, str]) -> Page:
        return Page(self._http.post(path, data=fields, headers={"Referer": str(self._http.base_url)}))
