"""What no constraint can say: the type of a pool lasts, and the pool named local is always there."""

from django.db import migrations

RULES = """
CREATE FUNCTION pools_lasting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.name = 'local' THEN
            RAISE EXCEPTION 'The pool named local is the built-in agents''; it cannot be deleted.'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF NEW.pool_type <> OLD.pool_type THEN
        RAISE EXCEPTION 'The type of a pool never changes.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.name = 'local' AND NEW.name <> 'local' THEN
        RAISE EXCEPTION 'The pool named local keeps its name.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pools_lasting BEFORE UPDATE OR DELETE ON pools_pool FOR EACH ROW EXECUTE FUNCTION pools_lasting();
ALTER TABLE pools_pool ADD CONSTRAINT pool_local_is_static CHECK (name <> 'local' OR pool_type = 'static');
"""

UNDO = """
ALTER TABLE pools_pool DROP CONSTRAINT pool_local_is_static;
DROP TRIGGER pools_lasting ON pools_pool;
DROP FUNCTION pools_lasting();
"""


class Migration(migrations.Migration):
    dependencies = [("pools", "0001_initial")]
    operations = [migrations.RunSQL(RULES, UNDO)]
