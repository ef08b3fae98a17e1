"""Tasks in the API: `rows` (lists and one task), `verbs` (what is done to one), `contents` (its log, plan, history)."""
