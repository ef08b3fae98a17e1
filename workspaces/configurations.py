"""Storing a configuration: a new version with the next number, which never changes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from iacplatform.base.problems import Invalid
from workspaces import archives
from workspaces import files as rules
from workspaces.archives import Upload
from workspaces.models import Configuration, Kind, Workspace


def store(workspace: Workspace, files: Mapping[str, str], by: Any) -> Configuration:
    """Return the new version of the workspace's files, or raise `Invalid` with a sentence by file."""
    faults = rules.faults(files, folder=workspace.working_directory, engine=workspace.engine)
    if faults:
        raise Invalid(next(iter(faults.values())), errors={name: [fault] for name, fault in faults.items()})
    size = sum(len(text.encode()) for text in files.values())
    with transaction.atomic():
        return _next(workspace, files=dict(files), size=size, digest=digest(files), created_by=by)


def store_archive(workspace: Workspace, archive: Upload, by: Any) -> Configuration:
    """Return the new version that is this tar.gz, or raise `Invalid` or `TooLarge`.

    The workspace is locked only once the pieces are stored: they may take longer than others wait for the lock.
    """
    archives.judge(archive)
    with transaction.atomic():
        pk = _next_id()
        known = {"kind": Kind.ARCHIVE, "size": archive.size, "digest": archives.keep(pk, archive), "created_by": by}
        return _next(workspace, pk=pk, **known)


def digest(files: Mapping[str, str]) -> str:
    """Return the SHA-256 (hex) of the files' canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(files, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _next(workspace: Workspace, **columns: Any) -> Configuration:
    Workspace.objects.locked_for_change(workspace.pk)
    newest = Configuration.objects.without_files().newest_of(workspace)
    number = newest.number + 1 if newest else 1
    return Configuration.objects.create(workspace=workspace, number=number, **columns)


def _next_id() -> int:
    """Return the id of the next row. What refers to it may come first: foreign keys are judged at the commit."""
    table = connection.ops.quote_name(Configuration._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        return int(cursor.fetchone()[0])
