"""A person who watches a task's log in the browser: the same requests as the page makes, as often."""

import asyncio
import re
import time
from html import unescape

import httpx

PASSWORD = "correct horse battery staple"  # noqa: S105 - of an installation that is gone in a minute

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_NEXT = re.compile(r'id="next-apply" hx-get="([^"]+)" hx-trigger="every (\d+)(ms|s)"')
_STAMP = re.compile(r"stamp (\d+\.\d+)")


class Reader:
    """Somebody who has logged in. `ages`: of each stamped line when it came, in seconds; `requests`: so many so far."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self._browser = browser
        self.ages: list[float] = []
        self.requests = 0

    async def log_in(self) -> None:
        """Log in as the administrator."""
        found = _TOKEN.search((await self._browser.get("/login/")).text)
        form = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": found[1] if found else ""}
        answer = await self._browser.post("/login/", data=form)
        if answer.status_code != httpx.codes.FOUND:
            raise SystemExit(f"The administrator cannot log in: {answer.status_code}.")

    async def follow(self, page: str) -> None:
        """Follow the log of the apply to its end, as htmx does: an answer without news leaves its timer as it is."""
        text = (await self._browser.get(page)).raise_for_status().text
        while found := _NEXT.search(text):
            address, every = unescape(found[1]), int(found[2]) / (1000 if found[3] == "ms" else 1)
            text = await self._news(address, every)
            now = time.time()
            self.ages += [now - float(stamp) for stamp in _STAMP.findall(text)]

    async def _news(self, address: str, every: float) -> str:
        due = time.monotonic()
        while True:
            due = max(due + every, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            self.requests += 1
            answer = (await self._browser.get(address)).raise_for_status()
            if answer.status_code != httpx.codes.NO_CONTENT:
                return answer.text
