"""A workspace's files: their versions, and the next one."""

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from iacplatform.base import rights
from iacplatform.base.problems import Invalid, Problem, TooLarge
from iacplatform.console import page, workspaces
from iacplatform.console.forms import Files
from workspaces import archives, configurations
from workspaces import files as rules
from workspaces.archives import Upload
from workspaces.models import Configuration, Kind, Workspace

ADD = "workspaces.add_configuration"


@page.page
def index(request: HttpRequest, ws: str) -> HttpResponse:
    """Show the versions and the form of the next one, or store it."""
    workspace = workspaces.find(request, ws)
    if request.method != "POST":
        return _shown(request, workspace, Files(initial=_newest_file(request, workspace)))
    form = Files(request.POST)
    try:
        stored = _stored(request, workspace, form)
    except page.REFUSALS as error:
        return _shown(request, workspace, form, problem=page.as_problem(error))
    sentence = f"Configuration v{stored.number} is stored. New tasks take it."
    return page.done(request, sentence, reverse("console:workspace", args=[ws]))


def _stored(request: HttpRequest, workspace: Workspace, form: Files) -> Configuration:
    rights.demand(request.user, ADD)
    if request.POST.get("kind") == Kind.ARCHIVE:
        return configurations.store_archive(workspace, _archive(request), request.user)
    return configurations.store(workspace, _files(form, request), request.user)


def _archive(request: HttpRequest) -> Upload:
    archive = request.FILES.get("archive")
    if not isinstance(archive, UploadedFile):
        raise Invalid(f"Choose an archive first. {archives.HOW}")
    return archive


def _files(form: Files, request: HttpRequest) -> dict[str, str]:
    if not form.is_valid():
        raise Invalid(
            "The file has no usable path.",
            errors={name: [str(text) for text in texts] for name, texts in form.errors.items()},
        )
    typed = form.cleaned_data
    files = {typed["path"] or "main.tf": typed["text"].replace("\r\n", "\n")} if typed["text"].strip() else {}
    return {**files, **_uploaded(request)}


def _uploaded(request: HttpRequest) -> dict[str, str]:
    files = request.FILES.getlist("files")
    if sum(file.size or 0 for file in files) > 4 * rules.MOST_CHARACTERS:
        raise TooLarge(rules.TOO_LARGE)  # before any is read
    return {str(file.name): _text(str(file.name), file.read()) for file in files}


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8 text; a configuration is made of text files.") from error


def _newest_file(request: HttpRequest, workspace: Workspace) -> dict[str, str]:
    """Return what the form begins with: the newest version, where it is a single file that the person may see."""
    newest = Configuration.objects.visible_to(request.user).newest_of(workspace)
    files = list((newest.files or {}).items()) if newest else []
    return {"path": files[0][0], "text": files[0][1]} if len(files) == 1 else {}


def _shown(request: HttpRequest, workspace: Workspace, form: Files, *, problem: Problem | None = None) -> HttpResponse:
    versions = Configuration.objects.visible_to(request.user).filter(workspace=workspace)
    listed = page.listed(request, versions.select_related("created_by").without_files(), size=20)
    framed = {"place": "workspaces", "tab": "configurations", "workspace": workspace, "form": form, "page": listed}
    may_add = rights.may(request.user, ADD)
    status = problem.status if problem else 200
    return page.show(request, "configurations.html", status=status, problem=problem, may_add=may_add, **framed)
