import pytest
from django.db import connection

from iacplatform.supervisor import database
from iacplatform.supervisor.errors import DatabaseUnreachable


def test_a_server_that_lets_us_in_passes() -> None:
    parameters = connection.get_connection_params()
    # The database of the settings is there; that of the tests may not be made yet.
    database.refuse_unreachable(parameters)


def test_a_wrong_password_is_told_without_it() -> None:
    parameters = {**connection.get_connection_params(), "user": "nobody_knows", "password": "s3cret"}
    with pytest.raises(DatabaseUnreachable) as told:
        database.refuse_unreachable(parameters)
    assert "s3cret" not in str(told.value)
    assert "correct DATABASE_URL" in str(told.value)
