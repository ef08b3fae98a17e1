"""Configurations may be archives, kept in pieces; all of it stays as it came. Older versions learn their size."""

import django.db.models.deletion
from django.db import migrations, models

import iacplatform.base.clock

RULES = """
UPDATE workspaces_configuration SET size = coalesce(
    (SELECT sum(octet_length(value)) FROM jsonb_each_text(files)), 0);
DROP TRIGGER configuration_lasts ON workspaces_configuration;
CREATE TRIGGER configuration_lasts
    BEFORE UPDATE OF id, workspace_id, number, kind, files, size, digest, created_at ON workspaces_configuration
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('A version of a configuration never changes; upload another one.');
CREATE TRIGGER configuration_part_lasts BEFORE UPDATE ON workspaces_configurationpart
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('A version of a configuration never changes; upload another one.');
CREATE TRIGGER manifest_lasts BEFORE UPDATE ON workspaces_manifest
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('What lies in an archive never changes.');
"""

UNDO = """
DROP TRIGGER manifest_lasts ON workspaces_manifest;
DROP TRIGGER configuration_part_lasts ON workspaces_configurationpart;
DROP TRIGGER configuration_lasts ON workspaces_configuration;
CREATE TRIGGER configuration_lasts BEFORE UPDATE OF workspace_id, number, files, digest ON workspaces_configuration
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('A version of a configuration never changes; upload another one.');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('workspaces', '0004_sealed_anew'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConfigurationPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='Counts from 0.')),
                ('content', models.BinaryField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Manifest',
            fields=[
                ('configuration', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to='workspaces.configuration')),
                ('entries', models.JSONField(help_text='Each file: {"path", "size", "sha256"}.')),
                ('created_at', models.DateTimeField(db_default=iacplatform.base.clock.DatabaseNow(), editable=False)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='configuration',
            name='kind',
            field=models.CharField(choices=[('files', 'Files'), ('archive', 'Archive')], default='files', max_length=10),
        ),
        migrations.AddField(
            model_name='configuration',
            name='size',
            field=models.PositiveBigIntegerField(default=0, help_text='Bytes of the archive, or of all texts together.'),
        ),
        migrations.AlterField(
            model_name='configuration',
            name='digest',
            field=models.CharField(help_text="SHA-256 of the archive, or of the files' canonical JSON.", max_length=64),
        ),
        migrations.AlterField(
            model_name='configuration',
            name='files',
            field=models.JSONField(help_text='Text by path; null for an archive.', null=True),
        ),
        migrations.AddConstraint(
            model_name='configuration',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('files__isnull', False), ('kind', 'files')), models.Q(('files__isnull', True), ('kind', 'archive'), ('size__gt', 0)), _connector='OR'), name='configuration_is_files_or_an_archive'),
        ),
        migrations.AddField(
            model_name='configurationpart',
            name='configuration',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='workspaces.configuration'),
        ),
        migrations.AddConstraint(
            model_name='configurationpart',
            constraint=models.UniqueConstraint(fields=('configuration', 'number'), name='configuration_part_is_kept_once'),
        ),
        migrations.RunSQL(RULES, UNDO),
    ]
