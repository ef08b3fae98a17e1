"""A pytest plugin: passwords are digested at once. Django's own way takes a third of a second, so that guessing is slow."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

QUICK = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True, scope="session")
def _quick_digests() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=QUICK):
        yield
