"""The history of a task is only added to."""

from django.db import migrations

RULES = """
CREATE TRIGGER event_lasts BEFORE UPDATE ON tasks_taskevent
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('The history of a task never changes.');
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0001_initial"), ("base", "0001_clock")]
    operations = [migrations.RunSQL(RULES, "DROP TRIGGER event_lasts ON tasks_taskevent;")]
