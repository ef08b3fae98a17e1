"""A configuration that came as a tar.gz: fetched in parts, unpacked, told, planned, and applied elsewhere."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.protocol import Finished
from tests.archives import member, packed, tar
from tests.runner.fake_platform import FakePlatform
from tests.runner.scene import Scene

Starter = Callable[..., Any]

FILES: dict[str, str | bytes] = {
    "network/main.tf": 'module "inner" {\n  source = "../modules/inner"\n}\n'
    'output "words" {\n  value = module.inner.words\n}\n',
    "modules/inner/main.tf": 'resource "terraform_data" "one" {\n  input = file("${path.module}/words.txt")\n}\n'
    'output "words" {\n  value = terraform_data.one.output\n}\n',
    "modules/inner/words.txt": "from the archive",
    "modules/inner/picture.png": b"\x89PNG\x00\xff",
}


def run(platform: FakePlatform, job: dict[str, Any], eventually: Callable[..., None]) -> Finished:
    platform.offer(job)
    eventually(lambda: platform.result(job["task"], job["epoch"]))
    result = platform.result(job["task"], job["epoch"])
    assert result
    return result


def test_with_real_terraform_on_two_agents(
    platform: FakePlatform,
    start_agent: Starter,
    job: Callable[..., Any],
    eventually: Callable[..., None],
    tmp_path: Path,
) -> None:
    platform.store.archive = packed(FILES, prefix="./")
    planner = start_agent()
    planned = run(platform, job(files={}, working_directory="network"), eventually)
    assert planned.outcome == "planned", platform.log(1)
    assert "The configuration's archive holds 4 files." in platform.log(1)
    assert not (tmp_path / "work/tasks/1/run/configuration.tgz").exists()
    planner.kill()
    planner.wait()
    start_agent(IAC_AGENT_NAME="agent-two", IAC_AGENT_WORKDIR=str(tmp_path / "other"))
    stored = platform.stored_plan(1)
    assert "extras" not in stored["parts"], "what came with the archive is not stored once more"
    wanted = job(files={}, working_directory="network", epoch=2, phase="apply", plan=stored)
    assert run(platform, wanted, eventually).outcome == "applied", platform.log(1, 2)
    outputs = json.loads(platform.store.states["/api/v1/workspaces/ws-0123456789/state"].body)["outputs"]
    assert outputs["words"]["value"] == "from the archive"
    (told,) = platform.store.told
    facts = {each["path"]: (each["size"], each["sha256"]) for each in told}
    assert facts["modules/inner/words.txt"] == (16, hashlib.sha256(b"from the archive").hexdigest())
    assert facts.keys() == FILES.keys()


def _archive(scene: Scene, behaviour: dict[str, Any], **files: str) -> dict[str, Any]:
    """Let the platform have an archive for the fake engine; return a job of it."""
    made = scene.job(behaviour=behaviour, files=files)
    scene.platform.store.archive = packed(made["files"])
    return {**made, "files": {}}


def test_files_that_the_plan_made_are_there_again(scene: Scene, start_agent: Starter, tmp_path: Path) -> None:
    planner = start_agent(PATH=scene.path)
    behaviour = {"plan": {"touch": "built.zip"}, "apply": {"seconds": 60}}
    job = _archive(scene, behaviour, **{"built.zip": "as it was uploaded", "kept.txt": "kept"})
    assert scene.run(job).outcome == "planned"
    planner.kill()
    start_agent(PATH=scene.path, IAC_AGENT_WORKDIR=str(tmp_path / "other"))
    scene.platform.offer({**job, "epoch": 2, "phase": "apply", "plan": scene.platform.stored_plan(1)})
    scene.wait_for_start("apply")
    folder = tmp_path / "other/tasks/1/config"
    assert (folder / "built.zip").read_text() == "made by the plan"
    assert (folder / "kept.txt").read_text() == "kept"


def test_a_warm_folder_needs_no_second_download(scene: Scene, start_agent: Starter) -> None:
    start_agent(PATH=scene.path)
    job = _archive(scene, {})
    scene.run(job)
    platform = scene.platform
    applied = scene.run({**job, "epoch": 2, "phase": "apply", "plan": platform.stored_plan(1)})
    assert (applied.outcome, platform.store.downloads) == ("applied", 1)


def test_the_users_lock_file_is_used_and_the_plans_one_applied(
    scene: Scene, start_agent: Starter, tmp_path: Path
) -> None:
    planner = start_agent(PATH=scene.path)
    job = _archive(scene, {"apply": {"seconds": 60}}, **{".terraform.lock.hcl": "# the user's\n"})
    scene.run(job)
    assert scene.platform.parts(1)["lock"] == b"# the user's\n"
    planner.kill()
    start_agent(PATH=scene.path, IAC_AGENT_WORKDIR=str(tmp_path / "other"))
    scene.platform.parts(1)["lock"] = b"# as the plan left it\n"
    plan = scene.platform.stored_plan(1)
    scene.platform.offer({**job, "epoch": 2, "phase": "apply", "plan": plan})
    scene.wait_for_start("apply")
    assert (tmp_path / "other/tasks/1/config/.terraform.lock.hcl").read_text() == "# as the plan left it\n"
    inits = [line["arguments"] for line in scene.ledger() if line.get("start") == "init"]
    assert ["-lockfile=readonly" in arguments for arguments in inits] == [False, True]


def test_an_archive_that_cannot_be_used_fails_in_words(scene: Scene, start_agent: Starter) -> None:
    start_agent(PATH=scene.path)
    cases = {
        "--dereference": tar(member("main.tf"), member("x", kind=b"2", linkname="main.tf")),
        "cut, or no gzip": packed({"main.tf": "x" * 5000})[:-20],
        "There are some in 'prod'": packed({"prod/main.tf": ""}),
        "needs itself": packed({"main.tf": "", "IACPLATFORM_backend_override.tf": ""}),
    }
    for number, (words, archive) in enumerate(cases.items(), start=1):
        scene.platform.store.archive = archive
        result = scene.run({**scene.job(number), "files": {}})
        assert (result.outcome, result.error_code) == ("failed", "configuration_invalid"), result
        assert words in result.error_message and words in scene.platform.log(number)
    scene.platform.store.archive = packed({"main.tf": ""})
    missing = scene.run({**scene.job(9, working_directory="network"), "files": {}})
    assert "no folder 'network'" in missing.error_message
    assert scene.starts() == []


def test_an_archive_that_changed_on_its_way_is_not_used(scene: Scene, start_agent: Starter) -> None:
    start_agent(PATH=scene.path)
    job = _archive(scene, {})
    scene.platform.store.is_swapped = True
    result = scene.run(job)
    assert (result.outcome, result.error_code) == ("failed", "configuration_damaged")
