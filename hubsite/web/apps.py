from contextlib import suppress
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class WebConfig(AppConfig):
    name = "hubsite.web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # WhiteNoise warns at every start while the folder for collected assets is missing, which it is in a
        # check-out. A data folder that cannot be written to has its own check and sentence.
        with suppress(OSError):
            Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
