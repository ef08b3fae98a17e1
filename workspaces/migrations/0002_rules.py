"""What no constraint can say: mode and type of pool fit, and what was stored as a version stays as it is."""

from django.db import migrations

RULES = """
CREATE FUNCTION workspaces_mode_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    pool record;
BEGIN
    SELECT pool_type, name INTO pool FROM pools_pool WHERE pool_id = NEW.pool_id;
    IF NOT FOUND THEN
        RETURN NEW;  -- without a pool: the CHECK and the foreign key judge
    END IF;
    IF NEW.execution_mode = 'k8s' AND pool.pool_type <> 'k8s'
        OR NEW.execution_mode = 'agent' AND pool.pool_type <> 'static'
        OR NEW.execution_mode = 'local' AND pool.name <> 'local' THEN
        RAISE EXCEPTION 'Execution mode % does not fit pool % of type %.',
            NEW.execution_mode, pool.name, pool.pool_type USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER workspaces_mode_fits BEFORE INSERT OR UPDATE OF execution_mode, pool_id ON workspaces_workspace
    FOR EACH ROW EXECUTE FUNCTION workspaces_mode_fits();
CREATE TRIGGER configuration_lasts BEFORE UPDATE OF workspace_id, number, files, digest ON workspaces_configuration
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('A version of a configuration never changes; upload another one.');
CREATE TRIGGER state_lasts BEFORE UPDATE ON workspaces_stateversion
    FOR EACH ROW EXECUTE FUNCTION iac_refuse('A version of a state never changes; upload another one.');
"""

UNDO = """
DROP TRIGGER state_lasts ON workspaces_stateversion;
DROP TRIGGER configuration_lasts ON workspaces_configuration;
DROP TRIGGER workspaces_mode_fits ON workspaces_workspace;
DROP FUNCTION workspaces_mode_fits();
"""


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0001_initial"), ("pools", "0002_rules")]
    operations = [migrations.RunSQL(RULES, UNDO)]
