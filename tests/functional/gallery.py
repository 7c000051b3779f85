"""A hub with something on it: adapters as people would publish them, made through the real services."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

import numpy as np
from safetensors.numpy import save

from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.configs.base import LEAF_ROLES, Place
from adapter_lib.spec.strings import parse_config
from hubsite.core.clock import now
from hubsite.registry.models import Backbone, Commit, Repo, RepoKind, Task
from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import rebuild
from hubsite.validation.models import Run, Suite
from tests.functional.validations import Outcome, Scored, fail, measure, pass_run
from tests.hubsite import factories


@dataclass(frozen=True)
class Shape:
    """What an adapter must know of its backbone."""

    id: str
    model_type: str
    hidden: int
    layers: int
    parameters: int


MINILM = Shape("sentence-transformers/all-MiniLM-L6-v2", "bert", 384, 6, 22_713_216)
BERT = Shape("google-bert/bert-base-multilingual-cased", "bert", 768, 12, 177_853_440)
ROBERTA = Shape("FacebookAI/xlm-roberta-large-finetuned-conll03", "xlm-roberta", 1024, 24, 558_840_832)


@dataclass(frozen=True)
class Made:
    """One adapter of the gallery. `scored` None: its task has no suite."""

    owner: str
    name: str
    config: str
    backbone: Shape
    task: str
    dataset: str
    summary: str
    languages: Sequence[str] = ("en",)
    scored: Scored | None = None
    claimed: float | None = None
    days: float = 1
    downloads: int = 0
    private: bool = False
    license: str = "apache-2.0"
    body: str = field(default="")


LONG = "cross-lingual-review-sentiment-from-forty-seven-annotators-2026-b"

ADAPTERS = (
    Made(
        "demo",
        "sentiment-lora",
        "lora[r=8]",
        MINILM,
        "sentiment",
        "project-sentences",
        "Tells whether an English sentence is positive or negative.",
        scored=Scored(0.921, 0.89, 0.948),
        claimed=0.93,
        days=3,
        downloads=1240,
    ),
    Made(
        "demo",
        "sentiment-seq-bn",
        "seq_bn",
        MINILM,
        "sentiment",
        "project-sentences",
        "The same task with a bottleneck behind every feed-forward block.",
        scored=Scored(0.908, 0.872, 0.939),
        days=3.2,
        downloads=412,
    ),
    Made(
        "alice",
        "reviews-houlsby",
        "double_seq_bn[reduction_factor=8]",
        MINILM,
        "sentiment",
        "imdb",
        "Film reviews, two bottlenecks a layer.",
        scored=Scored(0.883, 0.845, 0.918),
        days=20,
        downloads=87,
    ),
    Made(
        "alice",
        "reviews-parallel",
        "par_bn",
        MINILM,
        "sentiment",
        "rotten-tomatoes",
        "A wide bottleneck beside the feed-forward block.",
        scored=Scored(0.896, 0.858, 0.928),
        claimed=0.95,
        days=41,
        downloads=9_820,
    ),
    Made(
        "linguistics-lab-of-the-north",
        LONG,
        "lora[r=64,alpha=128,targets=[q,k,v,o,up,down]]",
        BERT,
        "sentiment",
        "amazon-reviews-multi",
        "Reviews in four languages, every linear map of the layer adapted.",
        languages=("de", "en", "fr", "sw"),
        scored=Scored(0.874, 0.834, 0.909),
        days=400,
        downloads=1_203_000,
        license="cc-by-nc-sa-4.0",
    ),
    Made(
        "bob",
        "tweets-tiny-rank",
        "lora[r=1,targets=[v]]",
        MINILM,
        "sentiment",
        "tweet-eval",
        "The smallest update that still helps.",
        scored=Scored(0.861, 0.82, 0.898),
        days=0.1,
        downloads=3,
    ),
    Made(
        "bob",
        "sarcasm",
        "lora[r=4]",
        MINILM,
        "sentiment",
        "isarcasm",
        "An attempt at sarcasm that did not quite work.",
        scored=Scored(0.842, 0.799, 0.88),
        days=70,
        downloads=31,
    ),
    Made(
        "bob",
        "upside-down",
        "lora[r=2]",
        MINILM,
        "sentiment",
        "tweet-eval",
        "Kept as a warning: trained on flipped labels.",
        scored=Scored(0.402, 0.35, 0.46),
        days=71,
        downloads=2,
    ),
    Made(
        "linguistics-lab-of-the-north",
        "swahili-ner",
        "seq_bn[reduction_factor=2]",
        BERT,
        "ner",
        "masakhaner",
        "Names of people, places and organisations in Swahili news.",
        languages=("sw",),
        days=12,
        downloads=655,
        license="mit",
    ),
    Made(
        "linguistics-lab-of-the-north",
        "xnli-de",
        "lora[r=16,alpha=32,leave_out=[0,1,2,3]]",
        BERT,
        "nli",
        "xnli",
        "German inference, the first four layers left alone.",
        languages=("de",),
        days=33,
        downloads=2_048,
    ),
    Made(
        "alice",
        "conll-dependency",
        "double_seq_bn",
        ROBERTA,
        "dp",
        "universal-dependencies",
        "Dependency trees for English and Czech.",
        languages=("en", "cs"),
        days=150,
        downloads=77,
    ),
    Made(
        "alice",
        "squad-lora",
        "lora[r=32,targets=[q,k,v,o]]",
        ROBERTA,
        "qa",
        "squad",
        "Answers questions by pointing into a passage.",
        days=90,
        downloads=5_400,
        license="",
    ),
    Made(
        "alice",
        "unreleased-experiment",
        "lora[r=8,targets=[up,down]]",
        MINILM,
        "sentiment",
        "imdb",
        "Not for other eyes yet.",
        scored=Scored(0.915, 0.88, 0.944),
        days=0.5,
        private=True,
    ),
    Made(
        "bob",
        "formality",
        "seq_bn[reduction_factor=32]",
        MINILM,
        "formality_classify",
        "gyafc",
        "Formal or casual?",
        days=8,
        downloads=19,
    ),
)


def fill(*, adapters: Sequence[Made] = ADAPTERS) -> None:
    """Publishes the adapters with their scores and builds the index."""
    for shape in (MINILM, BERT, ROBERTA):
        facts = {"model_type": shape.model_type, "hidden_size": shape.hidden, "num_layers": shape.layers}
        Backbone.objects.update_or_create(name=shape.id, defaults=facts | {"parameters": shape.parameters})
    suite = make_suite()
    for made in adapters:
        publish(made, suite)
    index()


def index() -> None:
    """Brings the search index up to the database."""
    rebuild(IndexFolder.configured(), Event())


def make_suite() -> Suite:
    """The evaluation set that the scores belong to."""
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
    for layer in config.layers(shape.layers):
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


__all__ = ["ADAPTERS", "LONG", "MINILM", "Made", "fail", "files_of", "fill", "index", "make_suite", "measure"]
