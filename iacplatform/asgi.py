"""What daphne serves: HTTP by Django, and the agents' WebSocket."""

import os
import sys
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

# A request that is being answered must not hold up the agents' sockets for Python's usual 5 ms at a time.
sys.setswitchinterval(0.0005)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iacplatform.settings")
_http: Any = get_asgi_application()

# Both need the apps, which are ready only now.
from agents.presence import Presence  # noqa: E402
from agents.routing import websocket_urlpatterns  # noqa: E402
from iacplatform import web_requests  # noqa: E402
from iacplatform.intake import Intake  # noqa: E402

web_requests.install()
application = Presence(ProtocolTypeRouter({"http": Intake(_http), "websocket": URLRouter(websocket_urlpatterns)}))
