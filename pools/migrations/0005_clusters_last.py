"""Where a config leads stays while pods of it are there; also for who writes two rows at once."""

from django.db import migrations, models

from iacplatform.base import encryption
from pools import kubeconfig

RULES = """
CREATE FUNCTION pools_pods_are_there(config bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT 1 FROM pools_pod pod JOIN pools_pool pool ON pool.pool_id = pod.pool_id
        WHERE pool.k8s_config_id = config AND pod.phase <> 'gone'
    )
$$;
CREATE FUNCTION pools_cluster_lasts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pools_pods_are_there(OLD.id) THEN
        RAISE EXCEPTION 'Pods of this config are in its cluster and namespace: these two cannot change now.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pools_cluster_lasts BEFORE UPDATE ON pools_k8sconfig FOR EACH ROW
    WHEN ((OLD.server, OLD.in_cluster, OLD.namespace) IS DISTINCT FROM (NEW.server, NEW.in_cluster, NEW.namespace))
    EXECUTE FUNCTION pools_cluster_lasts();
CREATE FUNCTION pools_config_lasts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM pools_pod WHERE pool_id = OLD.pool_id AND phase <> 'gone') THEN
        RAISE EXCEPTION 'Pods of this pool are in the cluster of its K8s config: it cannot change now.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pools_config_lasts BEFORE UPDATE ON pools_pool FOR EACH ROW
    WHEN (OLD.k8s_config_id IS DISTINCT FROM NEW.k8s_config_id) EXECUTE FUNCTION pools_config_lasts();
-- Whoever changes a config at this moment waits, or is waited for, and then sees the other one's row.
CREATE FUNCTION pools_pod_stays_where_it_began() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM pools_pool pool JOIN pools_k8sconfig config ON config.id = pool.k8s_config_id
        WHERE pool.pool_id = NEW.pool_id FOR SHARE;
    RETURN NEW;
END $$;
CREATE TRIGGER pools_pod_stays_where_it_began BEFORE INSERT ON pools_pod FOR EACH ROW
    EXECUTE FUNCTION pools_pod_stays_where_it_began();
"""

UNDO = """
DROP TRIGGER pools_pod_stays_where_it_began ON pools_pod;
DROP FUNCTION pools_pod_stays_where_it_began();
DROP TRIGGER pools_config_lasts ON pools_pool;
DROP FUNCTION pools_config_lasts();
DROP TRIGGER pools_cluster_lasts ON pools_k8sconfig;
DROP FUNCTION pools_cluster_lasts();
DROP FUNCTION pools_pods_are_there(bigint);
"""


def name_servers(apps, schema_editor):
    """Write down where the configs lead that are there already; one that does not open keeps no address."""
    for config in apps.get_model("pools", "K8sConfig").objects.exclude(sealed_kubeconfig=None):
        try:
            text = encryption.unseal(config.sealed_kubeconfig, "pools.k8sconfig.kubeconfig").decode()
            config.server = kubeconfig.server(text)
        except (encryption.Unreadable, KeyError):
            continue
        config.save(update_fields=["server"])


class Migration(migrations.Migration):
    dependencies = [("pools", "0004_pods_are_equipped")]
    operations = [
        migrations.AddField(
            model_name="k8sconfig",
            name="server",
            field=models.CharField(
                blank=True, editable=False, help_text="Address of the kubeconfig's cluster.", max_length=500
            ),
            preserve_default=True,
        ),
        migrations.RunPython(name_servers, migrations.RunPython.noop),
        migrations.RunSQL(RULES, UNDO),
    ]
