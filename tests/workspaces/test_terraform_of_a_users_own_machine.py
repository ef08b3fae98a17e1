"""The real terraform on somebody's laptop, with a workspace as its `http` backend."""

import pytest

from tests import factories
from tests.workspaces.laptops import Laptop
from workspaces import states
from workspaces.models import StateLock, StateVersion, Workspace
from workspaces.state_api import person

pytestmark = pytest.mark.django_db(transaction=True)


def test_plan_apply_and_destroy_keep_their_state_here(laptop: Laptop, stateful: Workspace) -> None:
    assert "1 to add" in laptop.do("plan", "-input=false")
    laptop.do("apply", "-input=false", "-auto-approve")
    assert "No changes" in laptop.do("plan", "-input=false")
    assert laptop.do("output", "-raw", "note") == "one"
    laptop.do("apply", "-input=false", "-auto-approve", "-var", "note=two")
    laptop.do("destroy", "-input=false", "-auto-approve", "-var", "note=two")
    rows = list(StateVersion.objects.filter(workspace=stateful).order_by("serial"))
    assert len(rows) >= 3 and len({row.lineage for row in rows}) == 1
    assert (rows[0].created_by, rows[-1].resources) == ("user:ann", 0)
    assert not StateLock.objects.exists()


def test_who_finds_it_locked_is_shown_the_holder_and_can_break_it(laptop: Laptop, stateful: Workspace) -> None:
    info = {
        "ID": "5ecd1e55-0000-0000-0000-000000000000",
        "Who": "bob@desk",
        "Operation": "OperationTypeApply",
        "Info": "",
    }
    states.lock(stateful.pk, info["ID"], info, person(factories.admin("bob"), stateful.pk))
    refused = laptop.run("apply", "-input=false", "-auto-approve")
    assert refused.returncode == 1
    assert "Error acquiring the state lock" in refused.stderr
    # Of the answer, which names the holder, terraform 1.11 prints the id alone and its own details below.
    assert f"already locked:\nID={info['ID']}" in refused.stderr
    assert not StateVersion.objects.exists()
    laptop.do("force-unlock", "-force", info["ID"])
    assert not StateLock.objects.exists()
    laptop.do("apply", "-input=false", "-auto-approve")


def test_an_apply_without_a_lock_is_taken_while_nobody_holds_it(laptop: Laptop, stateful: Workspace) -> None:
    laptop.do("apply", "-input=false", "-auto-approve", "-lock=false")
    assert StateVersion.objects.filter(workspace=stateful).exists()


def test_a_state_of_another_lineage_is_refused(laptop: Laptop, stateful: Workspace) -> None:
    laptop.do("apply", "-input=false", "-auto-approve")
    (laptop.folder / "foreign.tfstate").write_bytes(factories.state(99, lineage="another"))
    refused = laptop.run("state", "push", "-force", "foreign.tfstate")
    assert refused.returncode == 1
    newest = StateVersion.objects.newest_of(stateful.pk)
    assert newest is not None and newest.lineage != "another"


def test_a_wrong_token_is_told(laptop: Laptop) -> None:
    laptop.environment["TF_HTTP_PASSWORD"] = "wrong"
    refused = laptop.run("plan", "-input=false")
    assert refused.returncode == 1 and "auth" in refused.stderr.lower()
