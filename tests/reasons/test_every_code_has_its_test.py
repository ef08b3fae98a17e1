"""A code that somebody adds needs its situation played, or a sentence here that says why it has none."""

from iacplatform.console import turns
from tasks.reasons import Code
from tests.reasons.pod_scenes import ALL
from tests.reasons.test_every_error_is_seen_and_followed_up import ERRORS

ELSEWHERE = {
    Code.POOL_HAS_NO_CONFIG: "test_every_reason_is_seen_and_cured.py, with a rule of the database suspended",
    Code.DISPATCHING: "tests/agents/test_the_fast_path.py: it lasts for milliseconds",
    Code.OFFERED: "tests/agents/test_the_fast_path.py: it lasts until the agent accepts",
}

CONTRACT = {
    "workspace_locked",
    "queued_behind",
    "awaiting_confirmation",
    "pool_missing",
    "pool_has_no_config",
    "pool_at_max",
    "pool_frozen",
    "no_connected_agent",
    "no_matching_agent",
    "pod_starting",
    "pod_unschedulable",
    "pod_failed",
    "image_pull_failed",
    "agent_never_connected",
    "quota_exceeded",
    "cluster_unreachable",
    "cluster_forbidden",
    "no_free_slot",
    "offer_not_accepted",
    "state_locked",
    "retry_backoff",
    "plan_stale",
    "reservation_lost",
    "dispatch_failed",
    "scheduler_silent",
    "agent_lost",
}
"""Its wait reasons."""


def test_every_reason_has_its_scene() -> None:
    played = {scene.code for scene in ALL.values()} | ELSEWHERE.keys()
    assert played == set(Code)


def test_every_reason_of_the_contract_has_one_too() -> None:
    assert set(Code) >= CONTRACT
    assert {scene.code for scene in ALL.values()} | {Code.POOL_HAS_NO_CONFIG} >= CONTRACT


def test_every_error_that_the_page_has_words_for_is_played() -> None:
    assert turns._FAILURES.keys() == ERRORS.keys()
