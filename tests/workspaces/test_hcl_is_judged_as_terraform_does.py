"""What terraform takes is never refused; what is refused, terraform refuses too: terraform itself is the judge."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.workspaces.hcl_samples import BROKEN, VALID
from workspaces import files, hcl


@pytest.mark.parametrize("name", VALID)
def test_a_valid_text_has_no_fault(name: str) -> None:
    assert hcl.fault(VALID[name]) is None


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_text_has_a_fault(name: str) -> None:
    assert hcl.fault(BROKEN[name]) is not None


def test_terraform_says_the_same_of_every_sample(tmp_path: Path) -> None:
    texts = [*VALID.values(), *BROKEN.values()]
    for number, text in enumerate(texts):
        (tmp_path / f"{number:03}.tf").write_bytes(text.encode())
    terraform = shutil.which("terraform")
    assert terraform is not None, "These tests need terraform."
    command = [terraform, "fmt", "-check", "-list=false", "-no-color", str(tmp_path)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    refused = {int(number) for number in re.findall(r"(\d{3})\.tf line", judged.stderr)}
    assert refused == set(range(len(VALID), len(texts))), judged.stderr


@pytest.mark.parametrize(
    "text",
    [
        "x = (" + " " * 100_000 + "1)",
        "x = [" + "\n" * 100_000 + "1]",
        "(" * 100_000,
        '"${' * 30_000,
        "x = " + "a::" * 30_000,
        "x = <<AA\n" + "\n" * 100_000 + "b\nAA\n",
    ],
    ids=["blanks", "lines", "open", "templates", "namespaces", "heredoc"],
)
def test_a_hostile_text_does_not_cost_its_square(text: str) -> None:
    began = time.process_time()
    hcl.fault(text[: files.MOST_PARSED])
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "value", ['["a"]', "{ a = 1 }", "{\n a = 1\n b = 2\n}\n", "<<EOT\na\nEOT\n", '"a" # c', "true", "null", "-1"]
)
def test_a_single_expression_is_taken(value: str) -> None:
    assert hcl.expression_fault(value) == ""


@pytest.mark.parametrize("value", ["", " ", "1) + (2", "1\ny = 2", "a b", '"x', "{a=1} {b=2}", "]", "x = 1"])
def test_what_is_no_single_expression_is_refused(value: str) -> None:
    assert hcl.expression_fault(value) != ""
