"""Asking for a slot again is heard by everybody who hears of moves."""

import logging

import pytest

from tasks import dispatching
from tests.tasks import factories


@pytest.mark.django_db(transaction=True)
def test_no_receiver_fails_when_somebody_asks_again(caplog: pytest.LogCaptureFixture) -> None:
    task = factories.pending()
    dispatching.ask_again(task)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
