"""A proxy, and the name that a certificate has to bear, decide as well which cluster answers: they stay while pods do."""

from django.db import migrations, models

from iacplatform.base import encryption
from pools import kubeconfig

_TRIGGER = """
DROP TRIGGER pools_cluster_lasts ON pools_k8sconfig;
CREATE TRIGGER pools_cluster_lasts BEFORE UPDATE ON pools_k8sconfig FOR EACH ROW
    WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION pools_cluster_lasts();
"""


def _watching(*columns):
    """Return what makes the trigger watch these columns."""
    return _TRIGGER.format(**{row: ", ".join(f"{row.upper()}.{column}" for column in columns) for row in ("old", "new")})


RULES = _watching("server", "route", "in_cluster", "namespace")
UNDO = _watching("server", "in_cluster", "namespace")


def name_routes(apps, schema_editor):
    """Write down the routes of the configs that are there already; one that does not open keeps none."""
    for config in apps.get_model("pools", "K8sConfig").objects.exclude(sealed_kubeconfig=None):
        try:
            text = encryption.unseal(config.sealed_kubeconfig, "pools.k8sconfig.kubeconfig").decode()
            config.route = kubeconfig.route(text)
        except (encryption.Unreadable, *kubeconfig.UNREADABLE):
            continue
        config.save(update_fields=["route"])


class Migration(migrations.Migration):
    dependencies = [("pools", "0006_clusters_ask_for_rest")]
    operations = [
        migrations.AddField(
            model_name="k8sconfig",
            name="route",
            field=models.TextField(
                blank=True, default="", editable=False, help_text="Its proxy-url and tls-server-name."
            ),
            preserve_default=False,
        ),
        migrations.RunPython(name_routes, migrations.RunPython.noop),
        migrations.RunSQL(RULES, UNDO),
    ]
