"""A pytest plugin: static files are looked for once in a run, not by the first request of every test's client."""

from collections.abc import Iterator

import pytest
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


@pytest.fixture(autouse=True, scope="session")
def _found_once() -> Iterator[None]:
    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, StaticFile] = {}

    def add(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add)
        yield
