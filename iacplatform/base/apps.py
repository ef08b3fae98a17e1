from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "iacplatform.base"
    label = "base"
