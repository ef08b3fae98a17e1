"""What one version has otherwise than another: lines of texts, digests of archives once an agent has told them."""

import hashlib
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from iacplatform.base.problems import Invalid
from tasks import attempts
from tests import archives, factories
from tests.tasks import factories as task_factories
from workspaces import differences, manifests
from workspaces.models import Configuration, Workspace

MAIN = factories.MAIN


def store(api: APIClient, workspace: Workspace, files: dict[str, str]) -> int:
    answer = api.post(f"/api/v1/workspaces/{workspace.pk}/configurations", {"files": files}, format="json")
    return int(answer.json()["number"])


def store_archive(api: APIClient, workspace: Workspace, files: dict[str, str]) -> Configuration:
    form = {"archive": SimpleUploadedFile("c.tgz", archives.packed(files))}
    answer = api.post(f"/api/v1/workspaces/{workspace.pk}/configurations", form, format="multipart")
    return Configuration.objects.get(workspace=workspace, number=answer.json()["number"])


def told(files: dict[str, str]) -> list[dict[str, Any]]:
    """Return the manifest of an agent."""
    return [
        {"path": name, "size": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
        for name, text in files.items()
    ]


def difference(api: APIClient, workspace: Workspace, number: int, earlier: Any) -> Any:
    return api.get(f"/api/v1/workspaces/{workspace.pk}/configurations/{number}/difference", {"from": earlier})


def test_texts_are_compared_line_by_line(api: APIClient, workspace: Workspace) -> None:
    store(api, workspace, {"main.tf": MAIN, "gone.txt": "bye\n", "same.txt": "same"})
    store(api, workspace, {"main.tf": MAIN.replace("1", "2"), "new.txt": "no end", "same.txt": "same"})
    shown = difference(api, workspace, 2, 1).json()
    assert (shown["from"], shown["to"], shown["note"]) == (1, 2, "")
    (changed,), (added,), (removed,) = shown["changed"], shown["added"], shown["removed"]
    assert changed["diff"].startswith("--- a/main.tf\n+++ b/main.tf\n@@ -1,3 +1,3 @@\n")
    assert "\n-  input = 1\n+  input = 2\n" in changed["diff"]
    assert added["diff"].startswith("--- /dev/null\n+++ b/new.txt\n")
    assert added["diff"].endswith("+no end\n\\ No newline at end of file\n")
    assert (removed["path"], removed["size"]) == ("gone.txt", 4)
    assert removed["sha256"] == hashlib.sha256(b"bye\n").hexdigest()
    backwards = difference(api, workspace, 1, 2).json()
    assert [each["path"] for each in backwards["added"]] == ["gone.txt"]
    assert not any(difference(api, workspace, 2, 2).json()[change] for change in ("added", "removed", "changed"))


def test_an_archive_is_compared_once_an_agent_has_unpacked_it(api: APIClient, workspace: Workspace) -> None:
    store(api, workspace, {"main.tf": MAIN, "same.txt": "same"})
    files = {"main.tf": MAIN.replace("1", "2"), "same.txt": "same", "more.bin": "x"}
    archive = store_archive(api, workspace, files)
    answer = difference(api, workspace, 2, 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_unpacked")
    assert "version 2" in answer.json()["detail"] and "plan" in answer.json()["detail"]
    manifests.keep(archive, told(files))
    shown = difference(api, workspace, 2, 1).json()
    assert [each["path"] for each in shown["changed"]] == ["main.tf"]
    assert [(each["path"], each["diff"]) for each in shown["added"]] == [("more.bin", None)]
    assert "by path and digest" in shown["note"]


def test_of_one_whose_list_of_files_is_too_long_it_says_so(api: APIClient, workspace: Workspace) -> None:
    store(api, workspace, {"main.tf": MAIN})
    store_archive(api, workspace, {"main.tf": MAIN})
    task = task_factories.planning(workspace=workspace)
    files = {f"{number:04}{'x' * 1000}": "" for number in range(9_000)}
    headers = {"Authorization": f"Bearer {attempts.newest_of(task).token}"}
    address = "/agents/v1/attempt/configuration/manifest"
    refused = Client().put(address, json.dumps(told(files)).encode(), "application/json", headers=headers)
    assert refused.status_code == 413
    words = difference(api, workspace, 2, 1).json()["detail"]
    assert "too long to keep: it has 8 MiB at most" in words and "download the archive" in words


def test_the_first_manifest_counts(api: APIClient, workspace: Workspace) -> None:
    archive = store_archive(api, workspace, {"main.tf": MAIN})
    manifests.keep(archive, told({"main.tf": MAIN}))
    manifests.keep(archive, told({"other.tf": MAIN}))
    assert [*(manifests.of(archive) or {})] == ["main.tf"]


GOOD: dict[str, Any] = {"path": "main.tf", "size": 1, "sha256": "0" * 64}


@pytest.mark.parametrize(
    "entries",
    [
        {},
        "x",
        ["x"],
        [{**GOOD, "path": ""}],
        [{**GOOD, "path": "a\0"}],
        [{**GOOD, "path": "a" * 1025}],
        [{**GOOD, "size": -1}],
        [{**GOOD, "size": True}],
        [{**GOOD, "sha256": "0" * 63}],
        [{**GOOD, "more": 1}],
        [GOOD] * (manifests.MOST_FILES + 1),
    ],
)
def test_what_is_no_manifest_is_refused(api: APIClient, workspace: Workspace, entries: Any) -> None:
    archive = store_archive(api, workspace, {"main.tf": MAIN})
    with pytest.raises(Invalid):
        manifests.keep(archive, entries)
    assert manifests.of(archive) is None


def test_a_difference_has_an_end(api: APIClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    store(api, workspace, {"main.tf": MAIN})
    monkeypatch.setattr(differences, "MOST_LINES", 3)
    store(api, workspace, {"main.tf": MAIN + "# more\n", "a.txt": "a\n"})
    shown = difference(api, workspace, 2, 1).json()
    assert shown["changed"][0]["diff"] is None and shown["added"][0]["diff"]
    assert shown["note"] == "Large files are compared by digest only."
    monkeypatch.setattr(differences, "MOST_FILES", 1)
    shown = difference(api, workspace, 2, 1).json()
    assert (len(shown["added"]), len(shown["changed"])) == (1, 0)
    assert shown["note"].startswith("1 more files are different")


@pytest.mark.parametrize("earlier", ["", "x", "-1", "²", "9" * 30])
def test_the_other_version_is_a_number(api: APIClient, workspace: Workspace, earlier: str) -> None:
    store(api, workspace, {"main.tf": MAIN})
    assert difference(api, workspace, 1, earlier).status_code == 400
    assert difference(api, workspace, 1, 7).status_code == 404
