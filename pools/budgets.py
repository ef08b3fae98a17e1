"""How many calls a cluster gets from all of our processes together: five a second, twenty at once after a rest."""

from django.db import connection, transaction

from iacplatform.base import clock
from pools.errors import Throttled
from pools.models import ClusterStatus
from pools.models.status import BURST

PER_SECOND = 5.0
KEPT_FOR_LOOKS = 5
"""Calls that a person's check leaves to the platform's own looks."""
LONGEST_WAIT_SECONDS = 300.0
"""A cluster that asks for more is asked again after this."""

_FILLED = f"""
    LEAST({BURST}, kept.calls_left
        + {PER_SECOND} * GREATEST(0, EXTRACT(EPOCH FROM iac_now() - kept.refilled_at)::float))
"""
_PAUSED_UNTIL = "GREATEST(kept.held_until, CASE WHEN %(urgent)s THEN NULL ELSE kept.not_before END)"
_TAKE = f"""
    INSERT INTO pools_clusterstatus AS kept (config_id, calls_left, refilled_at, failures)
    VALUES (%(config)s, {BURST - 1}, iac_now(), 0)
    ON CONFLICT (config_id) DO UPDATE
    SET calls_left = {_FILLED} - 1, refilled_at = GREATEST(kept.refilled_at, iac_now())
    WHERE {_FILLED} >= %(least)s AND COALESCE({_PAUSED_UNTIL} <= iac_now(), true)
    RETURNING calls_left
"""  # noqa: S608 - put together from texts of this file
_WAIT = f"""
    SELECT to_char(kept.held_until AT TIME ZONE 'UTC', 'HH24:MI:SS'),
        COALESCE(kept.held_until > iac_now(), false),
        COALESCE(GREATEST(EXTRACT(EPOCH FROM {_PAUSED_UNTIL} - iac_now())::float, 0), 0),
        GREATEST((%(least)s - {_FILLED}) / {PER_SECOND}, 0)
    FROM pools_clusterstatus AS kept WHERE config_id = %(config)s
"""  # noqa: S608 - the same


def take(config_id: int, *, urgent: bool = False) -> None:
    """Take a call from the cluster's budget, or raise `Throttled`, which says when there is one.

    `urgent`: a person waits for the answer, so that of pauses only those count that the cluster itself asked for; some
    of the budget is not for people. Raises `RuntimeError` within a transaction: a call to a cluster would keep it open.
    """
    named = {"config": config_id, "urgent": urgent, "least": 1 + KEPT_FOR_LOOKS if urgent else 1}
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_TAKE, named)
        if cursor.fetchone() is not None:
            return
        cursor.execute(_WAIT, named)
        found = cursor.fetchone()
    raise _refusal(*(found or ("", False, 0.0, 0.0)))


def hold(config_id: int, seconds: float) -> None:
    """Make no call to the cluster for so long, because it asked for that."""
    wait = clock.In(seconds=min(seconds, LONGEST_WAIT_SECONDS))
    status = ClusterStatus.objects.filter(config_id=config_id)
    status.exclude(held_until__gt=wait).update(held_until=wait)
    status.exclude(not_before__gt=wait).update(not_before=wait)


def _refusal(held_until: str, is_held: bool, pause: float, empty: float) -> Throttled:
    """Return why there is no call now; `pause` and `empty`: seconds until the cluster, and the budget, have one."""
    if is_held:
        words = f"The cluster asked to be left alone until {held_until} UTC."
    elif pause > empty:
        words = f"The cluster gets no call for another {pause:.0f} seconds, as it failed."
    else:
        words = f"The calls to this cluster are used up; there is one again in {empty:.1f} seconds."
    return Throttled(words, max(pause, empty))
