from django.apps import AppConfig


class ValidationConfig(AppConfig):
    name = "hubsite.validation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers, once all models are loaded."""
        from hubsite.validation import receivers  # noqa: F401 - imported for its registrations
