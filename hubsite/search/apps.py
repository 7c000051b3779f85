from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "hubsite.search"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Only once all models are loaded may receivers be connected.
        from hubsite.search import receivers  # noqa: F401
