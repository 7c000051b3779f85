from django.apps import AppConfig


class HfApiConfig(AppConfig):
    name = "hubsite.hfapi"
    default_auto_field = "django.db.models.BigAutoField"
