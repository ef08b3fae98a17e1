"""The database's clock may be set back, as by a failover: then agents must not count as unheard until it catches up."""

from datetime import timedelta

import pytest

from iacplatform.base import clock
from iacplatform.base.models import Beat

pytestmark = pytest.mark.django_db


def test_a_run_without_a_break_begins_anew_when_the_clock_is_set_back() -> None:
    Beat.objects.strike("web:ada")
    clock.shift(timedelta(hours=-1))
    for _ in range(11):
        Beat.objects.strike("web:ada")
        clock.shift(timedelta(seconds=5))
    assert Beat.objects.received_for(timedelta(seconds=45))
