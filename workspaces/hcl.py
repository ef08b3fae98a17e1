"""Whether a text is HCL. Terraform is the judge; here only what it would surely refuse is refused, with the line."""

import json
from dataclasses import dataclass
from typing import Any

import hcl2
from lark.exceptions import UnexpectedInput

from workspaces import hcl_scan
from workspaces.hcl_scan import Broken


@dataclass(frozen=True)
class Fault:
    """Why a text does not parse. `line` counts from 1."""

    line: int
    sentence: str


def fault(text: str) -> Fault | None:
    """Return why `text` is no HCL, or None."""
    try:
        _parse(hcl_scan.plain(text))
    except Broken as error:
        return Fault(text.count("\n", 0, error.offset) + 1, str(error))
    return None


def outline_fault(text: str) -> Fault | None:
    """Return why `text` is no HCL by its brackets, quotes and comments alone, or None: for long texts."""
    try:
        hcl_scan.plain(text)
    except Broken as error:
        return Fault(text.count("\n", 0, error.offset) + 1, str(error))
    return None


def json_fault(text: str) -> Fault | None:
    """Return why `text` is no JSON object or array, or None."""
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        return Fault(error.lineno, f"{error.msg}.")
    except RecursionError:
        return Fault(1, "It is nested too deeply.")
    return None if isinstance(parsed, dict | list) else Fault(1, "It has to be a JSON object.")


def expression_fault(value: str) -> str:
    """Return why `value` is no single expression, or an empty text. The answer quotes nothing of it."""
    if not value.strip():
        return "An expression cannot be empty; an empty text is written with quotes."
    try:
        # In brackets a second line cannot become a second argument; alone its own brackets have to fit.
        _parse(f"value = (\n{hcl_scan.plain(value)}\n)\n")
    except Broken:
        return 'This is no HCL expression. Lists look like ["a", "b"], texts have quotes; or turn hcl off.'
    return ""


def _parse(plain: str) -> None:
    try:
        hcl2.parses_to_tree(plain)
    except UnexpectedInput as error:
        raise Broken(_sentence(error), max(error.pos_in_stream or 0, 0)) from error
    except RecursionError:
        return  # Too deep for the parser, not for terraform.


def _sentence(error: Any) -> str:
    found = str(getattr(error, "token", "") or getattr(error, "char", "")).strip().split("\n")[0][:40]
    return f"The text is not HCL here: {found or 'the end of a line'} is not expected."
