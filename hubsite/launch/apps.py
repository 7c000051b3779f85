from django.apps import AppConfig


class LaunchConfig(AppConfig):
    name = "hubsite.launch"
    default_auto_field = "django.db.models.BigAutoField"
