"""A workspace's variables as terraform takes them: files named by `-var-file`, and the environment.

`-var-file` beats the configuration's own `terraform.tfvars` and `*.auto.tfvars`, as a workspace's variables should, and
no value is ever in an argument list. In `.tfvars.json` a string is taken literally (`${` too); an `hcl` value is an
expression, so it goes into a `.tfvars` file. What a value means for the variable's type is terraform's business.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from agents.runner import masking
from agents.runner.errors import PhaseFailed
from agents.runner.jobs import Variable

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")

FORBIDDEN = re.compile(
    r"PATH|LD_.*|TF_CLI_ARGS.*|TF_REATTACH_.*|TF_LOG.*|GIT_.*|SSH_.*|TF_HTTP_.*|TF_CLI_CONFIG_FILE|TF_DATA_DIR"
    r"|TF_PLUGIN_CACHE_.*|IAC_.*",
    re.IGNORECASE,
)
"""Names that would load foreign code, print secrets, or lead the state elsewhere; the server refuses them too."""


def write(variables: Iterable[Variable], folder: Path) -> list[str]:
    """Write the terraform variables into files of the folder; return the arguments that name these."""
    terraform = [_checked(variable) for variable in variables if variable.category == "terraform"]
    strings = {variable.key: variable.value for variable in terraform if not variable.hcl}
    expressions = "".join(f"{variable.key} = {variable.value}\n" for variable in terraform if variable.hcl)
    files = {"values.tfvars.json": json.dumps(strings) if strings else "", "expressions.tfvars": expressions}
    return [_written(folder / name, text) for name, text in files.items() if text]


def environment(variables: Iterable[Variable]) -> Mapping[str, str]:
    """Return the environment variables of the workspace."""
    return {
        variable.key: variable.value for variable in variables if variable.category == "env" and _is_allowed(variable)
    }


def sensitive_values(variables: Iterable[Variable]) -> list[str]:
    """Return the texts that must not appear in a log."""
    return [
        text
        for variable in variables
        if variable.sensitive
        for text in (masking.literals(variable.value) if variable.hcl else [variable.value])
    ]


def _checked(variable: Variable) -> Variable:
    if not KEY.fullmatch(variable.key):
        raise PhaseFailed(
            "variable_refused", f"{variable.key[:90]!r} is not a name that a terraform variable can have."
        )
    return variable


def _is_allowed(variable: Variable) -> bool:
    if FORBIDDEN.fullmatch(variable.key) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable.key):
        raise PhaseFailed(
            "variable_refused",
            f"A workspace may not set the environment variable {variable.key[:90]!r}: remove it there, or rename it.",
        )
    if "\0" in variable.value:
        raise PhaseFailed("variable_refused", f"The environment variable {variable.key!r} holds a NUL character.")
    return True


def _written(path: Path, text: str) -> str:
    path.touch(mode=0o600)
    path.write_text(text)
    return f"-var-file={path}"
