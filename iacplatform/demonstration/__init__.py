"""`manage.py demo`: one workspace from its configuration to a confirmed apply, through the API as any client would."""
