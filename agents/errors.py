"""What can go wrong where tasks and agents meet, one sentence each."""

from iacplatform.base.problems import Problem


class StateNotLocked(Problem):
    """There is no state lock to release."""

    code = "not_locked"


class HolderLives(Problem):
    """Whoever holds the state lock may still be writing."""

    code = "holder_lives"


class NotInTheWay(Problem):
    """The state lock is no business of this task."""

    code = "not_in_the_way"
