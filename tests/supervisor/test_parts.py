from collections.abc import Iterator
from pathlib import Path

import pytest

from iacplatform.postgres.locks import Lock
from iacplatform.supervisor import listener
from iacplatform.supervisor.parts import Parts

SECRETS = {
    "DATABASE_URL": "postgresql://u:s3cret@db/x",
    "REDIS_URL": "redis://:s3cret@cache",
    "IACPLATFORM_SECRET_KEY": "s3cret",
    "IACPLATFORM_ENCRYPTION_KEYS": "s3cret",
    "IACPLATFORM_ADMIN_PASSWORD": "s3cret",
    "IACPLATFORM_BOOTSTRAP_TOKEN": "s3cret",
    "IAC_AGENT_TOKEN": "s3cret",
}


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with listener.listen("127.0.0.1", 0) as ours:
        yield Parts(folder=tmp_path, home=tmp_path, listener=ours, environment={**SECRETS, "PATH": "/bin"})


def test_an_agent_sees_no_secret_of_the_platform(parts: Parts, tmp_path: Path) -> None:
    agent = parts.agent(1, tmp_path / "token")
    assert "s3cret" not in " ".join([*agent.environment.values(), *agent.command])
    assert agent.environment["IAC_AGENT_TOKEN_FILE"] == str(tmp_path / "token")
    assert agent.environment["PATH"] == "/bin"


def test_only_the_bootstrap_step_sees_the_password_of_the_administrator(parts: Parts) -> None:
    assert parts.bootstrap().environment["IACPLATFORM_ADMIN_PASSWORD"] == "s3cret"
    for part in (parts.migrations(), parts.web(), parts.jobs(), parts.database()):
        assert "IACPLATFORM_ADMIN_PASSWORD" not in part.environment
        assert "IACPLATFORM_BOOTSTRAP_TOKEN" not in part.environment


def test_agents_use_the_address_of_the_environment_or_else_the_sockets(parts: Parts, tmp_path: Path) -> None:
    assert parts.agent(1, tmp_path).environment["IAC_SERVER"] == parts.listener.address
    given = Parts(
        folder=tmp_path, home=tmp_path, listener=parts.listener, environment={"IACPLATFORM_URL": "https://iac.example"}
    )
    assert given.agent(1, tmp_path).environment["IAC_SERVER"] == "https://iac.example"


def test_an_agent_waits_while_one_of_an_earlier_run_uses_its_work_folder(parts: Parts, tmp_path: Path) -> None:
    agent = parts.agent(1, tmp_path / "token")
    assert agent.obstacle() == ""
    workdir = Path(agent.environment["IAC_AGENT_WORKDIR"])
    workdir.mkdir(parents=True)
    earlier = Lock(workdir / "lock")
    assert earlier.take()
    assert "finishes its work" in agent.obstacle()
    earlier.release()
    assert agent.obstacle() == ""
