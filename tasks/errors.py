"""What can go wrong with a task, one sentence each."""

from iacplatform.base.problems import Invalid, Problem


class IllegalMove(Problem):
    """The table of moves has no such cell."""

    code = "illegal_move"


class LostRace(Problem):
    """Somebody else moved the task first."""

    code = "lost_race"


class PlanChanged(Problem):
    """The confirmation names another plan than the task's current one."""

    code = "plan_changed"


class PlanStale(Problem):
    """The state moved after the plan was made."""

    code = "plan_stale"


class PlanUnreadable(Problem):
    """The plan's JSON is not what an engine says."""

    code = "plan_unreadable"


class NoConfiguration(Problem):
    """A task needs files to run."""

    code = "no_configuration"


class StaleEpoch(Problem):
    """The attempt is not the task's current one; it may write nothing."""

    code = "stale_epoch"


class AttemptClosed(Problem):
    """The attempt has ended."""

    status = 410
    code = "attempt_closed"


class NotRetryable(Problem):
    """There is nothing to try again."""

    code = "not_retryable"


class StateReleased(Problem):
    """A person let go of the attempt's state lock, so that somebody else may write the state."""

    code = "state_released"


class NoReason(Invalid):
    """What only a person can judge was to be ended without saying why: whoever looks at it later has to know."""

    def __init__(self) -> None:
        why = "Say why: the reason must not be empty."
        super().__init__(why, errors={"reason": [why]})
