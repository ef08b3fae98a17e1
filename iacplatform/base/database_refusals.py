"""What PostgreSQL's own refusals mean: the rules that it holds, and the times when it could not answer.

SQLSTATE codes: appendix A of its manual.
"""

from django.apps import apps
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError

from iacplatform.base.problems import InUse, Invalid, Problem, TryAgain

RAISED_BY_A_RULE = "23001"  # restrict_violation: our triggers raise it, with a sentence
FOREIGN_KEY = "23503"
UNIQUE = "23505"
NOT_IN_TIME = frozenset({"55P03", "57014"})  # lock_not_available, query_canceled
COLLIDED = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
STOOD_STILL = frozenset({"25P03", "25P04"})  # idle_in_transaction_session_timeout, transaction_timeout


def as_problem(error: DatabaseError) -> Problem | None:
    """Return what the database's refusal means to the caller; None: it is a fault of ours."""
    state = getattr(error.__cause__, "sqlstate", None) or ""
    if state == RAISED_BY_A_RULE:
        return Problem(_sentence(error), code="refused")
    if state in NOT_IN_TIME | COLLIDED:
        return TryAgain("Others are changing the same thing right now. Nothing was changed: try again.")
    return _by_kind(error, state)


def _by_kind(error: DatabaseError, state: str) -> Problem | None:
    if isinstance(error, IntegrityError):
        return _broken_rule(error, state)
    if isinstance(error, DataError):
        return Invalid("A value cannot be stored: it holds characters or a number that the database does not take.")
    # Django takes a session that was ended for standing still for an internal error of the database.
    if isinstance(error, OperationalError | InterfaceError) or state in STOOD_STILL:
        return TryAgain("The database cannot answer right now. Try again in a moment.", after_seconds=5)
    return None


def _broken_rule(error: IntegrityError, state: str) -> Problem:
    if state == FOREIGN_KEY:
        return InUse("Something that this names is gone, or something still needs it. Look at it again.")
    sentence = _rule(getattr(getattr(error.__cause__, "diag", None), "constraint_name", None))
    if state == UNIQUE:
        return Problem(sentence or "There is one with this name or number already.", code="already_exists")
    return Problem(sentence or "It would break a rule that the database holds.", code="refused")


def _sentence(error: DatabaseError) -> str:
    return getattr(getattr(error.__cause__, "diag", None), "message_primary", None) or "The database refuses it."


def _rule(name: str | None) -> str:
    """Return the sentence of a model's constraint that brings its own, or an empty text."""
    constraints = (each for model in apps.get_models() for each in model._meta.constraints)
    return next((str(each.violation_error_message) for each in constraints if _speaks(each, name)), "")


def _speaks(constraint: object, name: str | None) -> bool:
    own = getattr(constraint, "violation_error_message", None)
    default = getattr(type(constraint), "default_violation_error_message", None)
    return getattr(constraint, "name", None) == name and bool(own) and own != default
