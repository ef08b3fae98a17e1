"""Nothing of one test reaches the next; what migrations wrote stays."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection

from iacplatform.base import clock
from pools.models import LOCAL, Pool
from tests import emptying


@pytest.mark.django_db(transaction=True)
def test_rows_go_and_what_migrations_wrote_stays() -> None:
    User.objects.create_user("ann")
    Pool.objects.create(name="big")

    emptying.empty()

    assert not User.objects.exists()
    assert [pool.name for pool in Pool.objects.all()] == [LOCAL]
    assert Permission.objects.filter(codename="confirm_task").exists()


@pytest.mark.django_db(transaction=True)
def test_the_local_pool_is_as_new() -> None:
    Pool.objects.filter(name=LOCAL).update(reservation_seconds=1, max_replicas=9)

    emptying.empty()

    local = Pool.objects.local()
    assert (local.reservation_seconds, local.max_replicas) == (3600, 5)


@pytest.mark.django_db(transaction=True)
def test_the_clock_stands_at_the_present() -> None:
    clock.shift(timedelta(days=1))

    emptying.empty()

    with connection.cursor() as cursor:
        cursor.execute("SELECT iac_now() - statement_timestamp()")
        assert cursor.fetchone() == (timedelta(0),)
