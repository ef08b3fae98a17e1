from django.urls import path

from agents.consumers import AgentConsumer

websocket_urlpatterns = [path("agents/v1/connect", AgentConsumer.as_asgi())]
