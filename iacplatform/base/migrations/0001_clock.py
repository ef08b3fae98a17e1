from django.db import migrations

CLOCK = """
CREATE TABLE base_clock (single boolean PRIMARY KEY DEFAULT true CHECK (single), ahead interval NOT NULL DEFAULT '0');
INSERT INTO base_clock DEFAULT VALUES;
CREATE FUNCTION iac_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT statement_timestamp() + ahead FROM public.base_clock $$;
CREATE FUNCTION iac_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;
"""

UNDO = "DROP FUNCTION iac_refuse(); DROP FUNCTION iac_now(); DROP TABLE base_clock;"


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunSQL(CLOCK, UNDO)]
