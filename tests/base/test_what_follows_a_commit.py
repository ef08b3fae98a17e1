"""What is done after a commit is done once, and its failure is nobody else's."""

import logging

import pytest
from django.db import transaction

from iacplatform.base import commits

pytestmark = pytest.mark.django_db(transaction=True)


def fail(why: str) -> None:
    raise RuntimeError(why)


def test_a_failure_is_logged_and_the_others_are_done(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    with caplog.at_level(logging.ERROR), transaction.atomic():
        commits.afterwards(fail, "It does not work.")
        commits.afterwards(done.append, "done")
        assert done == []
    assert done == ["done"]
    assert "Error calling fail in on_commit()" in caplog.text


def test_a_failure_outside_a_transaction_stops_nobody_either(caplog: pytest.LogCaptureFixture) -> None:
    commits.afterwards(fail, "It does not work.")
    assert "Error calling fail in on_commit()" in caplog.text


def test_nothing_follows_a_rollback() -> None:
    done: list[str] = []
    with pytest.raises(RuntimeError), transaction.atomic():
        commits.afterwards(done.append, "done")
        raise RuntimeError
    assert done == []
