"""After ten wrong passwords for a name from one address the next try has to wait, whoever it is."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from axes.models import AccessAttempt
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import F
from django.test import AsyncClient, Client

from tests.console import pages

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
LIMIT = 10


@pytest.fixture(autouse=True)
def alice() -> User:
    """A person with a password."""
    return User.objects.create_superuser("alice", password=PASSWORD)


def try_to_log_in(password: str = "wrong", name: str = "alice", door: str = "/login/", **meta: Any) -> Any:
    return Client(**meta).post(door, {"username": name, "password": password})


def guess(times: int = LIMIT, **how: Any) -> Any:
    """Return the last answer."""
    return [try_to_log_in(**how) for _ in range(times)][-1]


@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_the_answer_says_how_long(door: str) -> None:
    assert guess(LIMIT - 1, door=door).status_code != 429
    refused = try_to_log_in(door=door)
    assert refused.status_code == 429
    assert 290 <= int(refused["Retry-After"]) <= 300
    assert "wrong 10 times. Try again in 5 minutes" in pages.text(refused)


@pytest.mark.django_db(transaction=True)
async def test_a_server_of_asgi_says_the_same() -> None:
    words = {"username": "alice", "password": "wrong"}
    answers = [await AsyncClient().post("/login/", words) for _ in range(LIMIT)]
    await sync_to_async(connections.close_all)()  # that of the requests' own thread
    assert [answer.status_code for answer in answers] == [401] * (LIMIT - 1) + [429]
    assert 290 <= int(answers[-1]["Retry-After"]) <= 300


def test_the_right_password_is_refused_too_and_the_wait_grows_no_longer() -> None:
    guess()
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=4, seconds=30))
    refused = try_to_log_in(PASSWORD)
    assert refused.status_code == 429 and int(refused["Retry-After"]) <= 30
    assert "Try again in 1 minute;" in pages.text(refused)
    assert int(try_to_log_in(PASSWORD)["Retry-After"]) <= 30


def test_who_types_a_blank_beside_the_name_is_told_the_same() -> None:
    guess()
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=4, seconds=30))
    assert int(try_to_log_in(name=" alice ")["Retry-After"]) <= 30


def test_both_doors_count_together() -> None:
    guess(LIMIT // 2, door="/login/")
    assert guess(LIMIT // 2, door="/admin/login/").status_code == 429


def test_after_the_wait_the_right_password_lets_in() -> None:
    guess()
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=5))
    assert try_to_log_in(PASSWORD).status_code == 302
    assert not AccessAttempt.objects.exists()


def test_who_gets_in_begins_anew() -> None:
    guess(LIMIT - 1)
    assert try_to_log_in(PASSWORD).status_code == 302
    assert guess(LIMIT - 1).status_code == 401


def test_another_name_and_another_address_are_let_in() -> None:
    User.objects.create_superuser("bob", password=PASSWORD)
    guess()
    assert try_to_log_in(PASSWORD, "bob").status_code == 302
    assert try_to_log_in(PASSWORD, REMOTE_ADDR="203.0.113.7").status_code == 302


def test_another_browser_makes_no_difference() -> None:
    guess(LIMIT // 2, HTTP_USER_AGENT="one")
    assert guess(LIMIT // 2, HTTP_USER_AGENT="two").status_code == 429


def test_what_is_kept_holds_neither_password_nor_token_of_the_form() -> None:
    Client().post("/login/", {"username": "alice", "password": "hunter2", "csrfmiddlewaretoken": "t0ken"})
    kept = str(AccessAttempt.objects.values().get())
    assert "hunter2" not in kept and "t0ken" not in kept


@pytest.mark.parametrize("forwarded", ["203.0.113.9", "198.51.100.1, 203.0.113.9"])
def test_behind_a_proxy_its_last_word_counts(settings: LazySettings, forwarded: str) -> None:
    settings.BEHIND_PROXY = True
    guess(HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert try_to_log_in(PASSWORD, HTTP_X_FORWARDED_FOR=forwarded).status_code == 429
    assert try_to_log_in(PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.10").status_code == 302


def test_without_one_nobody_is_believed() -> None:
    guess(HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert try_to_log_in(PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.10").status_code == 429


@pytest.mark.parametrize(
    ("forwarded", "other"),
    [
        ("203.0.113.9:51234", "203.0.113.10:51234"),
        ("[2001:db8::9]:51234", "[2001:db8::10]:51234"),
        ("[2001:db8::9]", "2001:db8::10"),
    ],
)
def test_the_port_beside_an_address_makes_no_difference(settings: LazySettings, forwarded: str, other: str) -> None:
    settings.BEHIND_PROXY = True
    guess(HTTP_X_FORWARDED_FOR=forwarded)
    assert try_to_log_in(PASSWORD, HTTP_X_FORWARDED_FOR=forwarded.replace("51234", "443")).status_code == 429
    assert try_to_log_in(PASSWORD, HTTP_X_FORWARDED_FOR=other).status_code == 302


@pytest.mark.parametrize("forwarded", ["", "unknown", "203.0.113.9:443:1", "[203.0.113.9", "x" * 300])
def test_what_is_no_address_is_that_of_the_proxy(settings: LazySettings, forwarded: str) -> None:
    settings.BEHIND_PROXY = True
    assert guess(HTTP_X_FORWARDED_FOR=forwarded).status_code == 429
