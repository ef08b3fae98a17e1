from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0006_looks_at_what_happened"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="log_held",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Of the bytes stored, how many at the end may begin a sensitive value: not shown yet.",
            ),
        ),
    ]
