"""`terraform state …`, `import` and `workspace` on a laptop, whose state a workspace of ours keeps."""

import json

import pytest

from tests.workspaces.laptops import Laptop
from workspaces.models import StateLock, StateVersion, Workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def applied(laptop: Laptop) -> Laptop:
    """The laptop, after its first apply."""
    laptop.do("apply", "-input=false", "-auto-approve")
    return laptop


def newest(workspace: Workspace) -> StateVersion:
    version = StateVersion.objects.newest_of(workspace.pk)
    assert version is not None
    return version


def test_what_is_moved_and_removed_makes_new_versions(applied: Laptop, stateful: Workspace) -> None:
    first = newest(stateful).serial
    applied.do("state", "mv", "terraform_data.one", "terraform_data.two")
    assert applied.do("state", "list").split() == ["terraform_data.two"]
    applied.do("state", "rm", "terraform_data.two")
    assert (newest(stateful).serial > first + 1, newest(stateful).resources) == (True, 0)
    assert not StateLock.objects.exists()


def test_a_state_that_is_pulled_can_be_changed_and_pushed(applied: Laptop, stateful: Workspace) -> None:
    pulled = json.loads(applied.do("state", "pull"))
    assert pulled["serial"] == newest(stateful).serial
    changed = {**pulled, "serial": pulled["serial"] + 1, "outputs": {}}
    (applied.folder / "changed.tfstate").write_text(json.dumps(changed))
    applied.do("state", "push", "changed.tfstate")
    assert newest(stateful).serial > pulled["serial"]
    assert "Changes to Outputs" in applied.do("plan", "-input=false")


def test_an_older_state_and_one_of_another_lineage_are_refused(applied: Laptop, stateful: Workspace) -> None:
    stored = newest(stateful)
    pulled = json.loads(applied.do("state", "pull"))
    for change in ({"serial": pulled["serial"] - 1}, {"lineage": "another", "serial": pulled["serial"] + 5}):
        (applied.folder / "wrong.tfstate").write_text(json.dumps({**pulled, **change, "outputs": {}}))
        assert applied.run("state", "push", "wrong.tfstate").returncode == 1
    # Terraform's -force skips its own checks, not ours: what another configuration manages would be forgotten.
    forced = applied.run("state", "push", "-force", "wrong.tfstate")
    assert (forced.returncode, newest(stateful).pk) == (1, stored.pk), forced.stderr
    assert not StateLock.objects.exists()


def test_what_exists_is_imported(laptop: Laptop, stateful: Workspace) -> None:
    laptop.do("import", "-input=false", "terraform_data.one", "made-elsewhere")
    assert (newest(stateful).resources, newest(stateful).created_by) == (1, "user:ann")


def test_terraforms_own_workspaces_are_refused_in_its_words(laptop: Laptop) -> None:
    refused = laptop.run("workspace", "new", "other")
    assert refused.returncode == 1
    assert "workspaces not supported" in refused.stderr
