"""Agents that download engines: a slot of theirs fits tasks whose engine they do not have yet."""

from importlib import import_module

from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION agents_overlooked(
    sought bigint, settled_for interval, accept_within interval, remembered_for interval
)
RETURNS boolean LANGUAGE plpgsql STABLE COST 10000 AS $$
DECLARE
    task tasks_task;
    place workspaces_workspace;
    plan tasks_plan;
    pool varchar;
    wanted jsonb;
    engine jsonb;
BEGIN
    SELECT * INTO task FROM tasks_task WHERE id = sought;
    SELECT * INTO place FROM workspaces_workspace WHERE workspace_id = task.workspace_id;
    pool := place.pool_id;
    IF place.execution_mode = 'local' THEN
        SELECT pool_id INTO pool FROM pools_pool WHERE name = 'local';
    END IF;
    engine := to_jsonb(place.engine);
    wanted := jsonb_build_object('name', engine);
    IF place.terraform_version <> '' THEN
        wanted := wanted || jsonb_build_object('version', place.terraform_version);
    END IF;
    IF task.status = 'confirmed' THEN
        SELECT * INTO plan FROM tasks_plan
        WHERE task_id = task.id AND digest = task.plan_digest ORDER BY attempt_id DESC LIMIT 1;
        engine := to_jsonb(plan.engine);
        wanted := jsonb_build_object('name', engine, 'version', plan.version);
    END IF;
    wanted := jsonb_build_array(wanted);
    RETURN EXISTS (
        SELECT FROM agents_agent agent
        WHERE agent.pool_id = pool AND agent.session <> '' AND NOT agent.draining
        AND agent.lease_until > iac_now() AND agent.connected_at < iac_now() - settled_for
        AND CASE
            WHEN task.status = 'confirmed' THEN
                (agent.engines @> wanted OR agent.fetches @> engine) AND (agent.os, agent.arch) = (plan.os, plan.arch)
            ELSE
                agent.engines @> wanted OR agent.fetches @> engine OR NOT EXISTS (
                    SELECT FROM agents_agent other
                    WHERE other.pool_id = pool AND other.session <> '' AND NOT other.draining
                    AND other.lease_until > iac_now() AND (other.engines @> wanted OR other.fetches @> engine)
                )
            END
        AND (
            (task.lease = 'reserved' AND task.agent_id = agent.agent_id)
            OR agent.capacity > (
                SELECT count(*) FROM tasks_task held
                WHERE held.agent_id = agent.agent_id AND NOT (held.lease = '') AND held.slot < agent.capacity
            )
        )
        AND NOT EXISTS (
            SELECT FROM tasks_taskevent event JOIN tasks_attempt attempt USING (task_id)
            WHERE event.at > iac_now() - settled_for AND attempt.agent_id = agent.agent_id
        )
        AND NOT EXISTS (
            SELECT FROM tasks_attempt lapsed
            WHERE lapsed.agent_id = agent.agent_id AND lapsed.outcome = 'lapsed'
            AND lapsed.offered_at > iac_now() - remembered_for AND lapsed.offered_at >= agent.connected_at
            AND lapsed.ended_at >= lapsed.offered_at + accept_within
            AND NOT EXISTS (
                SELECT FROM tasks_attempt taken
                WHERE taken.agent_id = agent.agent_id AND taken.accepted_at > lapsed.offered_at
            )
        )
    );
END $$;
"""

BEFORE = import_module("agents.migrations.0003_overlooked_tasks").FUNCTION.replace("CREATE", "CREATE OR REPLACE", 1)


class Migration(migrations.Migration):
    dependencies = [("agents", "0004_whose_silence")]
    operations = [
        migrations.AddField(
            model_name="agent",
            name="fetches",
            field=models.JSONField(
                default=list,
                db_default=models.Value([], models.JSONField()),
                help_text="Names of engines of which it downloads the versions that it lacks."
            ),
        ),
        migrations.RunSQL(FUNCTION, BEFORE),
    ]
