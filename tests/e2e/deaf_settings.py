"""The platform's settings, but for a channel layer that no other process hears: every hint between processes is lost."""

from iacplatform.settings import *  # noqa: F403 - all but what follows stays as it is

CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
