"""What `manage.py up` is made of: the platform's processes, started in order, kept alive, ended in order.

No Django here: the supervisor outlives what it starts, so it stands on as little as it can.
"""
