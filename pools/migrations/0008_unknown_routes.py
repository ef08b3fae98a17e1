"""Where a config leads whose key was missing when routes were written down is unknown: it may be said beside pods."""

from django.db import migrations

from iacplatform.base import encryption
from pools import kubeconfig

DROP = "DROP TRIGGER pools_cluster_lasts ON pools_k8sconfig;"
MAKE = """
CREATE TRIGGER pools_cluster_lasts BEFORE UPDATE ON pools_k8sconfig FOR EACH ROW WHEN (
    (OLD.in_cluster, OLD.namespace) IS DISTINCT FROM (NEW.in_cluster, NEW.namespace)
    OR OLD.server <> NEW.server AND NOT (OLD.server = '' AND OLD.route = 'unknown')
    OR OLD.route <> NEW.route AND OLD.route <> 'unknown'
) EXECUTE FUNCTION pools_cluster_lasts();
"""
MAKE_AS_BEFORE = """
CREATE TRIGGER pools_cluster_lasts BEFORE UPDATE ON pools_k8sconfig FOR EACH ROW WHEN (
    (OLD.server, OLD.route, OLD.in_cluster, OLD.namespace)
    IS DISTINCT FROM (NEW.server, NEW.route, NEW.in_cluster, NEW.namespace)
) EXECUTE FUNCTION pools_cluster_lasts();
"""


def name_places(apps, schema_editor):
    """Write down where the configs lead; of one that does not open what is not known is marked so."""
    for config in apps.get_model("pools", "K8sConfig").objects.exclude(sealed_kubeconfig=None):
        try:
            text = encryption.unseal(config.sealed_kubeconfig, "pools.k8sconfig.kubeconfig").decode()
            config.server = config.server or kubeconfig.server(text)
            config.route = config.route or kubeconfig.route(text)
        except (encryption.Unreadable, *kubeconfig.UNREADABLE):
            config.route = config.route or "unknown"
        config.save(update_fields=["server", "route"])


class Migration(migrations.Migration):
    dependencies = [("pools", "0007_routes_last")]
    operations = [
        migrations.RunSQL(DROP, MAKE_AS_BEFORE),
        migrations.RunPython(name_places, migrations.RunPython.noop),
        migrations.RunSQL(MAKE, DROP),
    ]
