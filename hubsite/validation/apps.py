from django.apps import AppConfig


class ValidationConfig(AppConfig):
    name = "hubsite.validation"
    default_auto_field = "django.db.models.BigAutoField"
