"""One version of a configuration: its files, and what it has otherwise than another one."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from iacplatform.console import page, workspaces
from workspaces import differences, manifests
from workspaces.differences import Difference, NotUnpacked
from workspaces.models import Configuration, Workspace

MOST_FILES = 200
"""Files of an archive that a page names."""


@page.page
def detail(request: HttpRequest, ws: str, number: int) -> HttpResponse:
    """Show one version with its texts, or what is known of its archive."""
    workspace = workspaces.find(request, ws)
    version = _find(request, workspace, number)
    entries = list((manifests.of(version) or {}).values()) if version.is_archive else []
    shown: dict[str, Any] = {"entries": entries[:MOST_FILES], "left_out": max(0, len(entries) - MOST_FILES)}
    shown["why_unknown"] = manifests.missing(version)
    files = sorted((version.files or {}).items())
    return page.show(request, "configuration.html", files=files, **shown, **_frame(workspace, version))


@page.page
def difference(request: HttpRequest, ws: str, number: int) -> HttpResponse:
    """Show what a version has otherwise than the one that `?from=` names, or the one before it."""
    workspace = workspaces.find(request, ws)
    after = _find(request, workspace, number)
    before = _find(request, workspace, _number(request.GET.get("from", str(number - 1))))
    found, problem = _compared(before, after)
    listed = Configuration.objects.visible_to(request.user).filter(workspace=workspace).exclude(pk=after.pk)
    others = listed.values_list("number", flat=True)[:MOST_FILES]
    facts: dict[str, Any] = {"before": before, "found": found, "not_unpacked": problem, "others": others}
    return page.show(request, "difference.html", **facts, **_frame(workspace, after))


def _compared(before: Configuration, after: Configuration) -> tuple[Difference | None, str]:
    """Return the difference, or a sentence why nobody knows it yet."""
    try:
        return differences.between(before, after), ""
    except NotUnpacked as error:
        return None, error.detail


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(2**31)) - 1:
        raise Http404
    return int(text)


def _find(request: HttpRequest, workspace: Workspace, number: int) -> Configuration:
    versions = Configuration.objects.visible_to(request.user).filter(workspace=workspace).select_related("created_by")
    return get_object_or_404(versions, number=number)


def _frame(workspace: Workspace, version: Configuration) -> dict[str, Any]:
    return {"place": "workspaces", "tab": "configurations", "workspace": workspace, "version": version}
