"""Nobody takes a piece out of a history; it goes with its whole task."""

from django.db import migrations

RULES = """
CREATE FUNCTION tasks_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM tasks_task WHERE id = OLD.task_id) THEN
        RAISE EXCEPTION 'The history of a task stays as long as the task.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER event_stays AFTER DELETE ON tasks_taskevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tasks_history_stays();
"""

UNDO = """
DROP TRIGGER event_stays ON tasks_taskevent;
DROP FUNCTION tasks_history_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("tasks", "0002_rules")]
    operations = [migrations.RunSQL(RULES, UNDO)]
