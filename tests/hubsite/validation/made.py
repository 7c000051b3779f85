"""What the tests of validation start from."""

import json
from pathlib import Path

from hubsite.accounts.models import User
from hubsite.registry.models import Commit, Task
from hubsite.validation.models import Run
from tests.hubsite import factories

LABELS = ["negative", "positive"]


def make_run(owner: User, name: str = "example", content: bytes = b"{}") -> Run:
    """The run that a new commit of an adapter got."""
    commit: Commit = factories.make_commit(factories.make_repo(owner, name), {"adapter_config.json": content})
    return Run.objects.get(commit=commit)


def write_suite(folder: Path, *, version: int = 1, rows: int = 8, slug: str = "tiny-sentiment") -> Path:
    """A suite of `rows` rows per split, whose label can be read off one word."""
    description = {
        "slug": slug,
        "version": version,
        "task": "sentiment",
        "protocol": "text-classification",
        "metric": "accuracy",
        "labels": LABELS,
        "text_field": "text",
        "label_field": "label",
        "title": "Tiny sentiment",
        "license": "Apache-2.0",
        "description": "Sentences made for tests.",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(json.dumps(description))
    for split in ("train", "validation", "test"):
        lines = [
            json.dumps({"text": f"{('bad', 'good')[n % 2]} film {split} {n // 2}", "label": LABELS[n % 2]})
            for n in range(rows)
        ]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def sentiment() -> Task:
    """The task `sentiment`, whether or not the vocabulary is loaded."""
    task, _ = Task.objects.get_or_create(slug="sentiment", defaults={"name": "Sentiment"})
    return task
