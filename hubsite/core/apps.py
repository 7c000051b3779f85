from django.apps import AppConfig
from django.core.checks import register

from hubsite.core import checks


class CoreConfig(AppConfig):
    name = "hubsite.core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        for check in (
            checks.check_data_dir,
            checks.check_broker,
            checks.check_bucket,
            checks.check_backbone_dir,
        ):
            register(check)
