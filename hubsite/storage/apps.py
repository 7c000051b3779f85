from django.apps import AppConfig


class StorageConfig(AppConfig):
    name = "hubsite.storage"
    default_auto_field = "django.db.models.BigAutoField"
