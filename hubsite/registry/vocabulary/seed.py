"""Keep the database's words in step with the tables beside this file."""

from typing import Any

from django.apps.registry import Apps
from django.apps.registry import apps as current_apps
from django.db.models import Model

from hubsite.registry.vocabulary.languages import LANGUAGES
from hubsite.registry.vocabulary.tasks import TASKS


def seed_vocabulary(*, using: str, apps: Apps = current_apps, **kwargs: Any) -> None:
    """Receiver of `post_migrate`: add what is missing, correct what reads differently, delete nothing.

    It also runs after a flush, so that a database is never without its vocabulary.
    """
    try:
        task, language = apps.get_model("registry", "Task"), apps.get_model("registry", "Language")
    except LookupError:
        return  # migrated back to before these tables
    tasks = {slug: {"name": name, "description": text} for slug, (name, text) in TASKS.items()}
    _upsert(task, "slug", tasks, using)
    _upsert(language, "code", {code: {"name": name} for code, name in LANGUAGES.items()}, using)


def _upsert(model: type[Model], key: str, wanted: dict[str, dict[str, str]], using: str) -> None:
    fields = list(next(iter(wanted.values())))
    rows = model._default_manager.using(using)
    present = {row[key]: row for row in rows.values(key, *fields)}
    changed = [
        model(**{key: word}, **values)
        for word, values in wanted.items()
        if present.get(word) != {key: word, **values}
    ]
    rows.bulk_create(changed, update_conflicts=True, unique_fields=[key], update_fields=fields)
