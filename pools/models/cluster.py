"""How to reach a cluster, and what a pod of ours looks like there."""

from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models

from iacplatform.base import clock, encryption, rights, validators
from pools import kubeconfig, pod_shapes

PLACE = {"server": "kubeconfig", "route": "kubeconfig", "in_cluster": "in_cluster", "namespace": "namespace"}
"""Columns that say where pods are, and the fields that people fill in for them."""
MOVED = (
    "Pods of this config are where its address, proxy-url, tls-server-name and namespace lead. Set the minimum and "
    "maximum of its pools to 0 and wait until their pods are gone, or make another config and another pool for the "
    "new place."
)
OF_PODS = (
    "image",
    "command",
    "env",
    "resources",
    "node_selector",
    "tolerations",
    "service_account_name",
    "image_pull_secrets",
    "labels",
    "annotations",
)
"""Fields that a pod is made from, in the order in which people see them."""

RUNNER_COMMAND = ["python", "-m", "agents.runner"]


def runner_command() -> list[str]:
    """Return the default command of a pod's container."""
    return list(RUNNER_COMMAND)


class K8sConfigs(models.QuerySet["K8sConfig"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)


class K8sConfig(models.Model):
    name = models.CharField(max_length=90, unique=True, validators=[validators.name])
    sealed_kubeconfig = models.BinaryField(null=True, blank=True, editable=False)
    server = models.CharField(
        max_length=500, blank=True, editable=False, help_text="Address of the kubeconfig's cluster."
    )
    route = models.TextField(blank=True, editable=False, help_text="Its proxy-url and tls-server-name.")
    in_cluster = models.BooleanField(default=False, help_text="Use the service account of the pod we run in.")
    namespace = models.CharField(max_length=63, default="default")
    image = models.CharField(max_length=500)
    command = models.JSONField(default=runner_command, blank=True)
    env = models.JSONField(default=dict, blank=True)
    resources = models.JSONField(default=dict, blank=True)
    node_selector = models.JSONField(default=dict, blank=True)
    tolerations = models.JSONField(default=list, blank=True)
    service_account_name = models.CharField(max_length=253, blank=True)
    image_pull_secrets = models.JSONField(default=list, blank=True)
    labels = models.JSONField(default=dict, blank=True)
    annotations = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = K8sConfigs.as_manager()

    class Meta:
        verbose_name = "K8s config"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="k8s_config_reaches_one_cluster",
                condition=models.Q(in_cluster=True, sealed_kubeconfig=None)
                | models.Q(in_cluster=False, sealed_kubeconfig__isnull=False),
                violation_error_message="Give a kubeconfig, or choose in-cluster: one of the two.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def set_kubeconfig(self, text: str) -> None:
        """Keep the kubeconfig, sealed; it is never read back by a person. Raises where it is not usable."""
        if text:
            kubeconfig.validate(text)
        self.server, self.route = kubeconfig.server(text), kubeconfig.route(text)
        self.sealed_kubeconfig = encryption.seal(text.encode(), self.owner) if text else None

    def kubeconfig(self) -> str:
        """Return the kubeconfig for the client of the cluster."""
        return encryption.unseal(self.sealed_kubeconfig, self.owner).decode() if self.sealed_kubeconfig else ""

    def write_down_route(self, route: str) -> None:
        """Take this for the route that was unknown; the row keeps what somebody else wrote down meanwhile."""
        same = K8sConfig.objects.filter(pk=self.pk, server=self.server, sealed_kubeconfig=self.sealed_kubeconfig)
        same.filter(route=kubeconfig.UNKNOWN).update(route=route)
        self.route = route

    @property
    def owner(self) -> str:
        """Return what the kubeconfig is sealed for."""
        # A constant of its table: a new row has no id to bind to yet. What opens has to name the row's own server.
        return "pools.k8sconfig.kubeconfig"

    def clean(self) -> None:
        """Raise unless exactly one way to the cluster is given, and each part of a pod has its shape."""
        faults = {**pod_shapes.faults(self), **self._lasting_faults()}
        if self.in_cluster == bool(self.sealed_kubeconfig):
            faults["in_cluster"] = "Give a kubeconfig, or choose in-cluster: one of the two."
        if faults:
            raise ValidationError(faults)

    def _lasting_faults(self) -> dict[str, str]:
        """Return a sentence by field where the config would leave its cluster while pods of it are there."""
        stored = K8sConfig.objects.filter(pk=self.pk).first()
        place, new = (config.place() if config else {} for config in (stored, self))
        moved = [PLACE[column] for column in place.keys() & new.keys() if place[column] != new[column]]
        return dict.fromkeys(moved, MOVED) if moved and self.has_pods() else {}

    def place(self) -> dict[str, Any]:
        """Return where it leads, by column, as far as that is known."""
        known = {column: getattr(self, column) for column in PLACE}
        if self.route != kubeconfig.UNKNOWN:
            return known
        try:
            text = self.kubeconfig()
        except encryption.Unreadable:
            return {column: value for column, value in known.items() if value not in {"", kubeconfig.UNKNOWN}}
        return {**known, "server": kubeconfig.server(text), "route": kubeconfig.route(text)}

    def has_pods(self) -> bool:
        """Return whether pods of this config are meant to be, or may still be there."""
        return any(pool.pods.live().exists() for pool in self.pools.all())
