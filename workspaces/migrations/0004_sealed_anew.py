"""What is sealed may be sealed anew with another key; all else of a version, and of what was kept aside, stays."""

from django.db import migrations

RULES = """
DROP TRIGGER state_lasts ON workspaces_stateversion;
CREATE TRIGGER state_lasts
    BEFORE UPDATE OF id, workspace_id, serial, lineage, digest, size, resources, created_by, task_id, created_at
    ON workspaces_stateversion
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('A version of a state never changes; upload another one.');
DROP TRIGGER kept_state_lasts ON workspaces_keptstate;
CREATE TRIGGER kept_state_lasts
    BEFORE UPDATE OF
        id, workspace_id, task_id, epoch, serial, lineage, digest, size, resources, why, created_by, created_at
    ON workspaces_keptstate
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('What was kept aside never changes.');
"""

UNDO = """
DROP TRIGGER state_lasts ON workspaces_stateversion;
CREATE TRIGGER state_lasts BEFORE UPDATE ON workspaces_stateversion
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('A version of a state never changes; upload another one.');
DROP TRIGGER kept_state_lasts ON workspaces_keptstate;
CREATE TRIGGER kept_state_lasts BEFORE UPDATE ON workspaces_keptstate
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('What was kept aside never changes.');
"""


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0003_kept_states")]
    operations = [migrations.RunSQL(RULES, UNDO)]
