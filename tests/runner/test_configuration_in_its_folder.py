"""Which files a configuration may have, and where the engine begins with them."""

from pathlib import Path

import pytest

from agents.runner import configuration
from agents.runner.errors import PhaseFailed


@pytest.mark.parametrize(
    "name",
    ["../x", "/x", "a//b", "a/./b", "", ".", "a/..", "a\0b", "a\nb", "a\\b", "x" * 300, "a/", "\ud800", "\udcff"],
)
def test_a_file_has_a_plain_relative_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(PhaseFailed):
        configuration.write({name: "text"}, tmp_path)


@pytest.mark.parametrize("folder", ["..", "/etc", "a/../.."])
def test_a_working_directory_is_inside(tmp_path: Path, folder: str) -> None:
    configuration.write({"main.tf": ""}, tmp_path)
    with pytest.raises(PhaseFailed):
        configuration.begin(tmp_path, folder, "terraform")


@pytest.mark.parametrize(
    "name",
    [
        "sub/iacplatform_backend_override.tf.json",
        "IACPLATFORM_Backend_override.tf.json",
        "iacplatform_backend_override.tofu.json",
        "iacplatform_backend_override.tf.json/main.tf",
    ],
)
def test_the_name_of_our_own_override_is_taken(tmp_path: Path, name: str) -> None:
    with pytest.raises(PhaseFailed, match="needs itself"):
        configuration.write({name: "{}"}, tmp_path)


@pytest.mark.parametrize(
    "name", ["errored.tfstate", "sub/ERRORED.tfstate", "errored.tfstate/a.txt", ".terraform.tfstate.lock.info"]
)
def test_what_an_engine_left_is_no_configuration(tmp_path: Path, name: str) -> None:
    with pytest.raises(PhaseFailed, match="leave it out"):
        configuration.write({"main.tf": "", name: "{}"}, tmp_path)


@pytest.mark.parametrize("name", ["terraform.tfstate", "terraform.tfstate.d/prod/terraform.tfstate"])
def test_a_state_beside_the_configuration_belongs_to_the_workspace(tmp_path: Path, name: str) -> None:
    configuration.write({"main.tf": "", name: "{}", "fixtures/terraform.tfstate": "{}"}, tmp_path)
    with pytest.raises(PhaseFailed, match="as the workspace's state"):
        configuration.begin(tmp_path, "", "terraform")


def test_a_folder_in_the_place_of_our_override_is_refused(tmp_path: Path) -> None:
    configuration.write({"main.tf": ""}, tmp_path)
    (tmp_path / configuration.OVERRIDE).mkdir()
    with pytest.raises(PhaseFailed, match="cannot be written"):
        configuration.begin(tmp_path, "", "terraform")


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    configuration.write({"main.tf": ""}, tmp_path)
    with pytest.raises(PhaseFailed, match="no folder 'network'"):
        configuration.begin(tmp_path, "network", "terraform")


def test_a_folder_without_anything_for_the_engine_is_refused(tmp_path: Path) -> None:
    """To terraform, nothing in it means that all resources are to be destroyed."""
    configuration.write({"network/prod/main.tf": "", "._main.tf": "of macOS", "main.tofu": "", "x.txt": ""}, tmp_path)
    with pytest.raises(PhaseFailed, match=r"no file that ends in \.tf or \.tf\.json in the top folder.*'network/prod'"):
        configuration.begin(tmp_path, "", "terraform")
    assert configuration.begin(tmp_path, "", "tofu") == tmp_path
    assert configuration.begin(tmp_path, "network/prod", "terraform") == tmp_path / "network/prod"
