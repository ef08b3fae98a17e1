"""Storing a configuration: a new version with the next number, which never changes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from iacplatform.base.problems import Invalid
from workspaces import files as rules
from workspaces.models import Configuration, Workspace


def store(workspace: Workspace, files: Mapping[str, str], by: Any) -> Configuration:
    """Return the new version of the workspace's files, or raise `Invalid` with a sentence by file."""
    faults = rules.faults(files, folder=workspace.working_directory, engine=workspace.engine)
    if faults:
        raise Invalid(next(iter(faults.values())), errors={name: [fault] for name, fault in faults.items()})
    with transaction.atomic():
        Workspace.objects.locked_for_change(workspace.pk)
        newest = Configuration.objects.newest_of(workspace)
        number = newest.number + 1 if newest else 1
        known = {"files": dict(files), "digest": digest(files), "created_by": by}
        return Configuration.objects.create(workspace=workspace, number=number, **known)


def digest(files: Mapping[str, str]) -> str:
    """Return the SHA-256 (hex) of the files' canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(files, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
