from collections.abc import Iterable

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from hubsite.accounts.names.reserved import reserve
from hubsite.registry.vocabulary.seed import seed_vocabulary
from hubsite.registry.vocabulary.tasks import TASKS


class RegistryConfig(AppConfig):
    name = "hubsite.registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(seed_vocabulary, sender=self)
        reserve(self._task_slugs)

    def _task_slugs(self) -> Iterable[str]:
        """`hub:sentiment/lora` must never be somebody's repository (DESIGN.md 4.1)."""
        return {*TASKS, *self.get_model("Task")._default_manager.values_list("slug", flat=True)}
