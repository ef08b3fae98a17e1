"""Coming in and going out; what is shown to those who are not in."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.console import pages

PASSWORD = "correct horse battery"


@pytest.fixture
def alice(db: object) -> User:
    """A person with a password."""
    return User.objects.create_superuser("alice", password=PASSWORD)


def test_the_right_password_leads_to_where_one_wanted_to_go(client: Client, alice: User) -> None:
    asked = client.get("/pools/")
    assert asked["Location"] == "/login/?next=/pools/"
    answer = client.post(asked["Location"], {"username": "alice", "password": PASSWORD, "next": "/pools/"})
    assert answer["Location"] == "/pools/"


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("alice", "")])
def test_a_wrong_name_or_password_gives_one_sentence(client: Client, alice: User, name: str, password: str) -> None:
    answer = client.post("/login/", {"username": name, "password": password})
    assert answer.status_code == 401
    assert ("Name or password is wrong." in pages.text(answer)) == bool(password)
    assert f'value="{name}"' in answer.content.decode()
    assert "wrong" not in pages.forms(answer).get("", {}).values()


def test_an_inactive_person_reads_the_same_sentence(client: Client, alice: User) -> None:
    User.objects.update(is_active=False)
    answer = client.post("/login/", {"username": "alice", "password": PASSWORD})
    assert "Name or password is wrong." in pages.text(answer)


def test_nobody_is_sent_to_a_foreign_site(client: Client, alice: User) -> None:
    answer = client.post("/login/", {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_logging_out_is_a_form(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("path", ["/", "/workspaces/", "/tasks/", "/pools/", "/agents/", "/workspaces/new", "/pools/x"])
def test_every_page_asks_who_you_are(client: Client, db: object, path: str) -> None:
    assert client.get(path)["Location"].startswith("/login/?next=/")


def test_a_page_that_is_not_there_looks_like_the_others(client: Client, db: object) -> None:
    answer = client.get("/nowhere/")
    assert (answer.status_code, "There is nothing here" in pages.text(answer)) == (404, True)


def test_every_page_forbids_scripts_and_styles_within_it(client: Client, db: object) -> None:
    answer = client.get("/login/")
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    page = answer.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page
