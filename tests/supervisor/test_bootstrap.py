import json
import stat
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from pools.models import PoolToken

pytestmark = pytest.mark.django_db
Bootstrap = Callable[..., dict[str, Any]]


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Bootstrap:
    """Return a function that runs the command in an environment and returns its answer."""
    settings.HOME = tmp_path

    def run(**environment: str) -> dict[str, Any]:
        for name in ("IACPLATFORM_ADMIN_PASSWORD", "IACPLATFORM_BOOTSTRAP_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(f"IACPLATFORM_{name}", value)
        said = StringIO()
        call_command("bootstrap", "--json", stdout=said)
        answer: dict[str, Any] = json.loads(said.getvalue())
        return answer

    return run


def can_log_in(password: str) -> bool:
    user = get_user_model().objects.get(username="admin")
    return user.is_superuser and user.check_password(password)


def api_status(token: str) -> int:
    client = APIClient(headers={"Authorization": f"Bearer {token}"})
    return client.get("/api/v1/pools").status_code


def test_a_password_is_generated_and_told_once(bootstrap: Bootstrap) -> None:
    first, second = bootstrap(), bootstrap()
    assert can_log_in(first["password"])
    assert len(first["password"]) >= 24
    assert second["password"] is None


def test_hashing_a_password_may_take_long(bootstrap: Bootstrap, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = []

    def ensure(password: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'")
            patience.append(cursor.fetchone()[0])

    monkeypatch.setattr("iacplatform.bootstrap.administrator.ensure", ensure)
    bootstrap()
    assert patience == [5 * 60 * 1000]


def test_a_password_of_the_environment_is_taken_and_never_told(bootstrap: Bootstrap) -> None:
    assert bootstrap(ADMIN_PASSWORD="one of the operator")["password"] is None
    assert can_log_in("one of the operator")


def test_another_password_in_the_environment_replaces_the_first(bootstrap: Bootstrap) -> None:
    bootstrap(ADMIN_PASSWORD="first")
    bootstrap(ADMIN_PASSWORD="second")
    assert can_log_in("second")


def test_a_password_that_was_changed_by_hand_stays_without_the_variable(bootstrap: Bootstrap) -> None:
    bootstrap()
    admin = get_user_model().objects.get(username="admin")
    admin.set_password("chosen in the console")
    admin.save()
    bootstrap()
    assert can_log_in("chosen in the console")


def test_the_token_of_the_environment_opens_the_api(bootstrap: Bootstrap) -> None:
    bootstrap(BOOTSTRAP_TOKEN="operators-token-0123456789")
    bootstrap(BOOTSTRAP_TOKEN="operators-token-0123456789")
    assert api_status("operators-token-0123456789") == 200


def test_a_short_token_opens_the_api_too(bootstrap: Bootstrap) -> None:
    bootstrap(BOOTSTRAP_TOKEN="t")
    assert api_status("t") == 200


def test_another_token_in_the_environment_ends_the_first(bootstrap: Bootstrap) -> None:
    bootstrap(BOOTSTRAP_TOKEN="first-token-0123456789")
    bootstrap(BOOTSTRAP_TOKEN="second-token-0123456789")
    assert api_status("second-token-0123456789") == 200
    assert api_status("first-token-0123456789") == 401


def test_the_agents_token_lets_into_the_local_pool_and_is_private(bootstrap: Bootstrap) -> None:
    file = Path(bootstrap()["agent_token_file"])
    token = PoolToken.objects.valid().matching(file.read_text()).get()
    assert token.pool.is_local
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_agents_token_is_kept_while_it_is_valid(bootstrap: Bootstrap) -> None:
    file = Path(bootstrap()["agent_token_file"])
    first = file.read_text()
    bootstrap()
    assert file.read_text() == first
    assert PoolToken.objects.count() == 1


def test_a_revoked_agents_token_is_replaced(bootstrap: Bootstrap) -> None:
    file = Path(bootstrap()["agent_token_file"])
    first = file.read_text()
    PoolToken.objects.get().revoke()
    bootstrap()
    assert file.read_text() != first
    assert PoolToken.objects.valid().matching(file.read_text()).exists()


def test_no_secret_is_kept_readable(bootstrap: Bootstrap, tmp_path: Path) -> None:
    bootstrap(ADMIN_PASSWORD="pass-0123456789", BOOTSTRAP_TOKEN="token-0123456789")
    kept = " ".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file())
    assert "token-0123456789" not in kept
    assert "pass-0123456789" not in kept
