from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "iacplatform"
    label = "platform"
