"""What lets an agent into a pool: shown once, kept as a hash, revoked at any time."""

from datetime import datetime
from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q

from iacplatform.base import clock, rights, tokens, wakeups
from pools.models.pod import Pod
from pools.models.pool import Pool

PREFIX = "iacp_"


class PoolTokens(models.QuerySet["PoolToken"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see: never the tokens of pods, which are no person's to list or revoke."""
        return rights.narrow(self, user).of_people()

    def of_people(self) -> Self:
        """Narrow to tokens that people made, for agents that they start."""
        return self.filter(pod=None)

    def valid(self) -> Self:
        """Narrow to tokens that still let an agent in."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=clock.DatabaseNow()), revoked_at=None)

    def matching(self, text: str) -> Self:
        """Narrow to the token with this text."""
        return self.filter(digest=tokens.digest(text))


class PoolToken(models.Model):
    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="tokens")
    pod = models.OneToOneField(Pod, on_delete=models.CASCADE, null=True, editable=False, related_name="token")
    name = models.CharField(max_length=90, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False, help_text="The first characters, to recognise it by.")
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = PoolTokens.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.pool}"

    @classmethod
    def issue(
        cls, *, pool: Pool, name: str = "", expires_at: datetime | None = None, pod: Pod | None = None
    ) -> tuple["PoolToken", str]:
        """Return the new token's row and its text, which is nowhere else. `pod`: whose agent alone it lets in."""
        text = tokens.new(PREFIX)
        known = {"digest": tokens.digest(text), "prefix": text[:9]}
        return cls.objects.create(pool=pool, name=name, expires_at=expires_at, pod=pod, **known), text

    @classmethod
    def give(cls, pod: Pod) -> str:
        """Return the text of the token that lets in the agent of this pod alone; the same each time.

        A cluster may hold it already and never shows it: whoever was killed on the way to there can go on, and what
        the cluster holds stays right, also when another encryption key came meanwhile. `pod`: one with its UID.
        """
        texts = cls._texts(pod)
        given = cls.objects.filter(pod=pod, digest__in=texts).values_list("digest", flat=True).first()
        digest = given or next(iter(texts))
        known = {"pool_id": pod.pool_id, "name": pod.name, "digest": digest, "prefix": texts[digest][:9]}
        cls.objects.update_or_create(pod=pod, defaults=known)
        return texts[digest]

    @classmethod
    def is_beyond_recall(cls, pod: Pod) -> bool:
        """Return whether the pod was given a token of a key that is listed no longer: nobody knows its text."""
        return cls.objects.filter(pod=pod).exclude(digest__in=cls._texts(pod)).exists()

    @classmethod
    def _texts(cls, pod: Pod) -> dict[str, str]:
        """Return the texts that the pod's token may have, by their digests; that of the newest key first."""
        return {tokens.digest(text): text for text in tokens.derived(PREFIX, f"pod:{pod.uid}")}

    def revoke(self) -> None:
        """Let no agent in with it from now on; the sockets that it opened close within seconds."""
        unrevoked = PoolToken.objects.filter(pk=self.pk, revoked_at=None)
        unrevoked.update(revoked_at=clock.DatabaseNow())
        wakeups.wake(f"token.{self.pk}")
        self.refresh_from_db()
