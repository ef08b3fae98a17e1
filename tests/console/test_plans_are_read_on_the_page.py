"""A plan as a person reads it: what is made, changed and deleted, and nothing that is sensitive."""

import json
from typing import Any

import pytest
from django.test import Client

from iacplatform.console import changes
from tests import factories as rows
from tests.console import pages
from tests.tasks import factories
from workspaces.models import Variable

SECRET = "correct-horse-battery"


def resource(address: str, *actions: str, before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    """Return one entry of a plan's `resource_changes`."""
    return {"address": address, "change": {"actions": list(actions), "before": before, "after": after, **more}}


PLAN: dict[str, Any] = {
    "format_version": "1.2",
    "resource_changes": [
        resource(
            "tls_key.host",
            "delete",
            "create",
            before={"algorithm": "RSA", "key": SECRET},
            after={"algorithm": "ED25519", "key": "another-secret-text"},
            before_sensitive={"key": True},
            after_sensitive={"key": True},
            after_unknown={"id": True},
            replace_paths=[["algorithm"]],
        ),
        resource("server.main", "update", before={"size": 1, "name": "a"}, after={"size": 2, "name": "a"}),
        resource("record.new", "create", after={"ttl": 300, "password": SECRET}),
        resource("record.old", "delete", before={"ttl": 300}),
        resource("record.same", "no-op", before={"ttl": 300}, after={"ttl": 300}),
    ],
    "output_changes": {"address": {"actions": ["create"], "before": None, "after": "10.0.0.1", "after_unknown": False}},
}


def test_the_page_counts_and_lists_what_changes(console: Client) -> None:
    page = pages.text(console.get(pages.address(factories.awaiting_confirmation(plan=PLAN))))
    assert "1 to create , 1 to update , 1 to replace , 1 to delete" in page
    assert 'tls_key.host replaced algorithm forces replacement "RSA" → "ED25519"' in page
    assert "server.main size 1 → 2" in page
    assert "record.old deleted" in page
    assert "record.same" not in page
    assert "1 output changes" in page


def test_no_sensitive_value_is_on_the_page(console: Client) -> None:
    workspace = rows.configured()
    variable = Variable(workspace=workspace, key="password", sensitive=True)
    variable.set_value(SECRET)
    variable.save()
    page = console.get(pages.address(factories.awaiting_confirmation(plan=PLAN, workspace=workspace)))
    assert SECRET not in page.content.decode()
    assert "another-secret-text" not in page.content.decode()
    assert "(sensitive value)" in pages.text(page)


def test_what_is_known_only_later_says_so() -> None:
    (change,) = changes.of(
        {"resource_changes": [resource("a.b", "create", after={}, after_unknown={"id": True})]}
    ).resources
    assert [(each.name, each.note) for each in change.attributes] == [("id", "(known after apply)")]


def test_a_long_value_is_cut_and_a_long_plan_says_what_is_left_out() -> None:
    many = [resource(f"a.b{number}", "create", after={"x": "y" * 5000}) for number in range(changes.MOST + 3)]
    read = changes.of({"resource_changes": many})
    assert (len(read.resources), read.left_out, read.counts) == (changes.MOST, 3, {"create": changes.MOST + 3})
    assert len(read.resources[0].attributes[0].after) == changes.LONGEST + 1


def test_a_long_plan_repeats_its_buttons_below(console: Client) -> None:
    many = {"resource_changes": [resource(f"a.b{number}", "create", after={}) for number in range(9)]}
    page = console.get(pages.address(factories.awaiting_confirmation(plan=many))).content.decode()
    assert 'form="form-confirm-apply"' in page
    assert 'form="form-discard"' in page


def test_markup_in_a_plan_is_text(console: Client) -> None:
    plan = {"resource_changes": [resource("<script>alert(1)</script>", "create", after={"x": "<b>"})]}
    page = console.get(pages.address(factories.awaiting_confirmation(plan=json.loads(json.dumps(plan)))))
    assert "<script>alert" not in page.content.decode()


@pytest.mark.parametrize(
    "stored",
    [
        b"no JSON",
        b"[]",
        b'{"resource_changes": [1]}',
        b'{"resource_changes": 5}',
        b'{"resource_changes": [{"change": {"actions": [["create"]]}}]}',
        b'{"output_changes": []}',
        b'{"a":' * 900 + b"1" + b"}" * 900,
    ],
)
def test_a_plan_that_is_none_leaves_the_page_and_its_buttons(console: Client, stored: bytes) -> None:
    task = factories.awaiting_confirmation(plan=stored)
    answer = console.get(pages.address(task))
    assert answer.status_code == 200
    assert 'id="form-discard"' in answer.content.decode()
