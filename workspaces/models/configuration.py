"""The files of a workspace at one moment; never changed, only followed by a newer version."""

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q

from iacplatform.base import clock, rights
from workspaces.models.workspace import Workspace

PART_BYTES = 1024 * 1024
"""Most bytes of an archive in one row."""


class Kind(models.TextChoices):
    FILES = "files"
    """Texts by path, judged when they came."""
    ARCHIVE = "archive"
    """A tar.gz, stored as it came. Only agents unpack it."""


class Configurations(models.QuerySet["Configuration"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def without_files(self) -> Self:
        """Leave the files in the database until they are asked for."""
        return self.defer("files")

    def newest_first(self, workspace: Workspace | models.OuterRef) -> Self:
        """Return the versions of a workspace; the first is the one that a new task takes."""
        return self.filter(workspace=workspace).order_by("-number")

    def newest_of(self, workspace: Workspace) -> "Configuration | None":
        """Return the version that a new task would take."""
        return self.newest_first(workspace).first()


class Configuration(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="configurations")
    number = models.PositiveIntegerField(help_text="Counts from 1 in each workspace.")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.FILES)
    files = models.JSONField(null=True, help_text="Text by path; null for an archive.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the archive, or of all texts together.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the archive, or of the files' canonical JSON.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = Configurations.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="configuration_number_is_unique"),
            models.CheckConstraint(
                name="configuration_is_files_or_an_archive",
                condition=Q(kind="files", files__isnull=False) | Q(kind="archive", files__isnull=True, size__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workspace} v{self.number}"

    @property
    def is_archive(self) -> bool:
        """Whether it came as a tar.gz."""
        return self.kind == Kind.ARCHIVE

    @property
    def parts_count(self) -> int:
        """In how many rows the archive lies."""
        return -(-self.size // PART_BYTES) if self.is_archive else 0


class ConfigurationPart(models.Model):
    """A piece of an archive. All pieces but the last one are full."""

    configuration = models.ForeignKey(Configuration, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField(help_text="Counts from 0.")
    content = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["configuration", "number"], name="configuration_part_is_kept_once")
        ]

    def __str__(self) -> str:
        return f"part {self.number} of configuration {self.configuration_id}"


class Manifest(models.Model):
    """What an agent found in an archive when one was unpacked for the first time."""

    configuration = models.OneToOneField(Configuration, on_delete=models.CASCADE, primary_key=True)
    entries = models.JSONField(help_text='Each file: {"path", "size", "sha256"}.')
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"files of configuration {self.configuration_id}"

    @classmethod
    def of(cls, configuration: Configuration) -> "list[dict[str, Any]] | None":
        """Return the files of an archive, None while nobody has unpacked it."""
        entries: list[dict[str, Any]] | None = (
            cls._default_manager.filter(configuration=configuration).values_list("entries", flat=True).first()
        )
        return entries
