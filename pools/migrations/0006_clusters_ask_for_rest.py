"""What a cluster itself asked for is kept apart from our own back-off, which a person may end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pools", "0005_clusters_last"),
    ]

    operations = [
        migrations.AddField(
            model_name="clusterstatus",
            name="held_until",
            field=models.DateTimeField(help_text="The cluster itself asked for no call before then.", null=True),
        ),
    ]
