"""Addresses of servers are refused with a sentence where they are none, and never repeated: they hold passwords."""

import os
import subprocess
import sys

import pytest

from iacplatform import addresses
from tests.e2e.parts import REPOSITORY

SECRET = "hunter2"


@pytest.mark.parametrize(
    "given",
    [
        f"postgresql://iac:{SECRET}@db.example.com:5432/iac",
        f"postgres://iac:{SECRET}@db/iac?sslmode=verify-full",
        f"postgresql://iac:{SECRET}@/iac?host=/run/postgresql&port=5432",
        "postgresql:///iac",
    ],
)
def test_a_database_is_taken(given: str) -> None:
    assert addresses.database(given) == given


@pytest.mark.parametrize(
    "given",
    [
        SECRET,
        f"mysql://iac:{SECRET}@db/iac",
        f"postgresql://iac:{SECRET}@db/",
        f"postgresql://iac:{SECRET}@db:port/iac",
        f"postgresql://iac:{SECRET}@db:99999999/iac",
        f"postgresql://iac:{SECRET}@[::1/iac",
        f"postgresql://iac:{SECRET}@db/iac\n",
        "postgresql://",
    ],
)
def test_what_is_no_database_is_refused(given: str) -> None:
    with pytest.raises(SystemExit) as refused:
        addresses.database(given)
    assert "DATABASE_URL has to be postgresql://" in str(refused.value) and SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "given",
    ["redis://cache:6379/0", "redis://cache", f"rediss://:{SECRET}@cache:6380/3", "unix:///run/redis/redis.sock"],
)
def test_a_redis_server_is_taken(given: str) -> None:
    assert addresses.redis(given) == given


@pytest.mark.parametrize(
    "given",
    [
        SECRET,
        "cache:6379",
        f"http://:{SECRET}@cache",
        f"redis://:{SECRET}@cache:port",
        f"redis://:{SECRET}@cache/zero",
        "redis://",
        "redis:///0",
        "unix://",
        "redis://cache one",
    ],
)
def test_what_is_no_redis_server_is_refused(given: str) -> None:
    with pytest.raises(SystemExit, match="REDIS_URL has to be redis://host:6379/0") as refused:
        addresses.redis(given)
    assert SECRET not in str(refused.value)


def test_a_command_ends_with_the_sentence_and_nothing_else() -> None:
    environment = {**os.environ, "REDIS_URL": f"http://:{SECRET}@cache"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.strip() == f"{addresses.REDIS} See docs/scaling-out.md."
