from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "hubsite.web"
    default_auto_field = "django.db.models.BigAutoField"
