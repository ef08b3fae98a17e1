"""What daphne serves: HTTP by Django, and the agents' WebSocket."""

import os
from typing import Any

import django
from channels.routing import ProtocolTypeRouter, URLRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iacplatform.settings")
django.setup(set_prefix=False)

# These need the apps, which are ready only now.
from agents.presence import Presence
from agents.routing import websocket_urlpatterns
from iacplatform import web_requests
from iacplatform.handling import Handler
from iacplatform.intake import Intake

web_requests.install()
_http: Any = Handler()
application = Presence(ProtocolTypeRouter({"http": Intake(_http), "websocket": URLRouter(websocket_urlpatterns)}))
