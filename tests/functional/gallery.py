"""A hub with something on it: adapters as people would publish them, made through the real services."""

import json
from collections.abc import Sequence
from datetime import timedelta
from threading import Event

import numpy as np
from safetensors.numpy import save

from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.configs.base import Place
from adapter_lib.spec.roles import LEAF_ROLES
from adapter_lib.spec.strings import parse_config
from hubsite.core.clock import now
from hubsite.registry.models import Backbone, Commit, Repo, RepoKind, Task
from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import rebuild
from hubsite.validation.models import Run, Suite
from tests.functional.exhibits import BERT, FEW, MINILM, ROBERTA, Made, Shape
from tests.functional.validations import Outcome, pass_run
from tests.hubsite import factories


def fill(*, adapters: Sequence[Made] = FEW) -> None:
    """Publishes the adapters with their scores and builds the index."""
    suite = prepare()
    for made in adapters:
        publish(made, suite)
    index()


def index() -> None:
    """Brings the search index up to the database."""
    rebuild(IndexFolder.configured(), Event())


def prepare() -> Suite:
    """The backbones, and the evaluation set that the scores belong to."""
    for shape in (MINILM, BERT, ROBERTA):
        facts = {"model_type": shape.model_type, "hidden_size": shape.hidden, "num_layers": shape.layers}
        Backbone.objects.update_or_create(name=shape.id, defaults=facts | {"parameters": shape.parameters})
    repo = factories.make_repo(factories.make_user("demo"), "sentiment-sentences", RepoKind.DATASET)
    commit = factories.make_commit(repo, {"README.md": b"# Sentences\n", "test.jsonl": b"{}\n"})
    return Suite.objects.create(
        slug="sentiment-sentences",
        task=Task.objects.get(slug="sentiment"),
        repo=repo,
        commit=commit,
        protocol="text-classification",
        metric="accuracy",
        labels=["negative", "positive"],
    )


def publish(made: Made, suite: Suite) -> Commit:
    """One adapter, validated and published some days ago."""
    repo = factories.make_repo(factories.make_user(made.owner), made.name, private=made.private)
    commit = factories.make_commit(repo, files_of(made), lfs={"adapter.safetensors"}, title="First version")
    outcome = Outcome(suite if made.scored else None, made.scored, made.claimed)
    pass_run(Run.objects.get(commit=commit), outcome)
    Commit.objects.filter(pk=commit.pk).update(published_at=now() - timedelta(days=made.days))
    Repo.objects.filter(pk=repo.pk).update(downloads=made.downloads)
    commit.refresh_from_db()
    return commit


def files_of(made: Made) -> dict[str, bytes]:
    """The folder that save_adapter() and publish() would have written."""
    config = parse_config(made.config)
    return {
        "README.md": card(made).encode(),
        "adapter_config.json": json.dumps(manifest(made, config), indent=2).encode(),
        "adapter.safetensors": weights(config, made.backbone),
    }


def manifest(made: Made, config: MethodConfig) -> dict[str, object]:
    """A native configuration with a two-label head."""
    shape = made.backbone
    return {
        "format": "adapter_lib",
        "schema_version": 1,
        "method": config.method,
        "config": config.values(),
        "family": "bert",
        "role_table": "ab" * 32,
        "backbone": {
            "id": shape.id,
            "revision": None,
            "fingerprint": "cd" * 32,
            "model_type": shape.model_type,
            "hidden_size": shape.hidden,
            "num_layers": shape.layers,
        },
        "head": {
            "type": "classification",
            "labels": ["negative", "positive"],
            "pooling": "mean",
            "layers": 1,
        },
        "library": {"name": "adapter_lib", "version": "0.1.0"},
    }


def weights(config: MethodConfig, shape: Shape) -> bytes:
    """Tensors of the right shapes for the method, with the head."""
    tensors = {"head.0.weight": np.zeros((2, shape.hidden), np.float16)}
    for layer in config.covered_layers(shape.layers):
        for role in config.roles():
            wide, narrow = 4 * shape.hidden, shape.hidden
            widths = (wide if role == "ffn.down" else narrow, wide if role == "ffn.up" else narrow)
            place = Place(role, layer, *(widths if role in LEAF_ROLES else (narrow, narrow)))
            for name, size in config.shapes(place).items():
                tensors[f"layers.{layer}.{role}.{name}"] = np.ones(size, np.float16)
    return save(tensors)


def card(made: Made) -> str:
    """A README with front matter, prose, a table, code and a remote image."""
    languages = "".join(f"\n- {code}" for code in made.languages)
    licence = f"license: {made.license}\n" if made.license else ""
    return f"""---
library_name: adapter_lib
{licence}language:{languages}
datasets:
- {made.dataset}
base_model: {made.backbone.id}
adapter_task: {made.task}
---
{made.summary}

# Training

Trained for ten epochs with a learning rate of `5e-4` on **{made.dataset}**;
the [configuration](adapter_config.json)
says the rest. The head has one layer over the mean of the last hidden states.

| split | sentences |
|---|---|
| train | 1 200 |
| test | 400 |

![learning curve](https://example.org/curve.png)

## Limits

- Sentences of one opinion only; mixed ones are answered at random.
- Negation over more than one clause is often missed.

```python
adapter_lib.load("hub:{made.owner}/{made.name}")
```
{made.body}"""
