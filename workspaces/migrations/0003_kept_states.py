"""States that came too late are kept beside the versions, and stay as they are."""

import django.db.models.deletion
from django.db import migrations, models

import iacplatform.base.clock

RULES = """
CREATE TRIGGER kept_state_lasts BEFORE UPDATE ON workspaces_keptstate
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('What was kept aside never changes.');
"""

UNDO = "DROP TRIGGER kept_state_lasts ON workspaces_keptstate;"


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0002_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("task_id", models.BigIntegerField()),
                ("epoch", models.PositiveIntegerField()),
                ("serial", models.BigIntegerField()),
                ("lineage", models.CharField(max_length=100)),
                ("digest", models.CharField(help_text="SHA-256 of the content.", max_length=64)),
                ("size", models.PositiveBigIntegerField(help_text="Bytes.")),
                (
                    "resources",
                    models.PositiveIntegerField(default=0, help_text="Number of resource instances that it manages."),
                ),
                ("sealed_content", models.BinaryField()),
                ("why", models.TextField(help_text="A sentence: why it was not stored.")),
                ("created_by", models.CharField(help_text="task:<id> phase and attempt.", max_length=200)),
                ("created_at", models.DateTimeField(db_default=iacplatform.base.clock.DatabaseNow(), editable=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_states",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("task_id", "digest"), name="kept_state_is_kept_once")],
            },
        ),
        migrations.RunSQL(RULES, UNDO),
    ]
