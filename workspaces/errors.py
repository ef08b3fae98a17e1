"""What can go wrong with a workspace, one sentence each."""

from iacplatform.base.problems import Problem


class AlreadyLocked(Problem):
    """Somebody holds the workspace."""

    code = "already_locked"


class NotLocked(Problem):
    """Nobody holds the workspace."""

    code = "not_locked"


class LockedByTask(Problem):
    """A task that needs attention holds the workspace; only its own end lets go."""

    code = "locked_by_task"


class StateLocked(Problem):
    """Another run holds the state."""

    status = 423
    code = "state_locked"


class LockNotHeld(Problem):
    """The lock named is not the one that is held."""

    code = "lock_not_held"


class StateRefused(Problem):
    """The state does not follow the one that is stored."""

    code = "state_refused"


class InUse(Problem):
    """It cannot be deleted while something needs it."""

    code = "in_use"
