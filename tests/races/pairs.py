"""Two verbs at once, in every order of their steps, and what must be true after each of them."""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from iacplatform.base import wakeups
from iacplatform.base.problems import Problem
from tests.races import orders, rows, soundness
from tests.races.orders import Order
from tests.races.sessions import Action

WHOLE = os.environ.get("INTERLEAVINGS") == "all"
"""Whether pairs with very many orders are gone through to the end. Of those the suite takes a sample."""
SEED = 4

Outcome = Callable[..., Hashable]

log = logging.getLogger(__name__)


class BadOrder(AssertionError):
    """After this order something is not as promised."""


@dataclass
class Found:
    """What the orders led to: how often which outcome. `is_sample`: there are more orders than these."""

    is_sample: bool = False
    outcomes: Counter[Any] = field(default_factory=Counter)

    @property
    def orders(self) -> int:
        """How many were gone through."""
        return self.outcomes.total()

    def demand(self, *right: Hashable) -> None:
        """Fail unless these are the outcomes, all of them; a sample need not come to each."""
        wrong = self.outcomes.keys() - set(right)
        assert not wrong, f"outcomes that are not right: {wrong}"
        missing = set(right) - self.outcomes.keys()
        assert not missing or self.is_sample, f"no order led to {missing}"


def every_order(outcome: Outcome, /, *, most: int = 0, reduce: bool = True, **actions: Action) -> Found:
    """Do the named actions in every order, each time upon the rows as they are now.

    `outcome` gets the answers, or what was raised, by name, and says what came of it. `most`: of a pair with more
    orders, so many that are drawn. Raises `BadOrder` where a promise is broken, with the order.
    """
    found, begun = Found(is_sample=bool(most) and not WHOLE), time.process_time()
    with _hints_lost(), _errors_heard() as errors, rows.restored() as restore:
        for order in _orders(lambda: actions, restore, most if found.is_sample else 0, reduce):
            try:
                _demand_sound(order, errors)
                found.outcomes[outcome(**order.answers)] += 1
                soundness.demand_no_news_lost()
            except AssertionError as fault:
                raise BadOrder(f"{fault}\nafter:\n{order}") from fault
    log.info("Went through %s orders in %.1f s of our CPU.", found.orders, time.process_time() - begun)
    return found


def _orders(make: orders.Make, restore: orders.Prepare, most: int, reduce: bool) -> Iterator[Order]:
    if most:
        return orders.some(make, restore, count=most, seed=SEED)
    return orders.every(make, restore, reduce=reduce)


def _demand_sound(order: Order, errors: list[str]) -> None:
    said, errors[:] = errors[:], []
    assert not order.is_deadlock, "each of them waits for another"
    assert not said, f"something failed that nobody was told of: {said}"
    for name, answer in order.answers.items():
        refused = isinstance(answer, Problem) and answer.status < 500
        assert refused or not isinstance(answer, BaseException), f"{name} failed: {answer!r}"
    soundness.demand()


@contextmanager
def _hints_lost() -> Iterator[None]:
    """Nothing depends on a hint; a listener's answer would only be one more session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wakeups, "_send", lambda groups: None)
        yield


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else None
        self.heard.append(f"{record.getMessage()} {cause!r}")


@contextmanager
def _errors_heard() -> Iterator[list[str]]:
    """Yield what is logged as an error, such as a receiver of news that fails after the commit."""
    errors, root = _Errors(), logging.getLogger()
    root.addHandler(errors)
    logging.disable(logging.WARNING)
    try:
        yield errors.heard
    finally:
        logging.disable(logging.NOTSET)
        root.removeHandler(errors)


def word(answer: Any) -> Any:
    """Return an answer, or the kind of refusal."""
    return type(answer).__name__ if isinstance(answer, Exception) else answer
