"""What the tests of search and API start from: plain documents, and adapters through the real services."""

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import tantivy
import yaml

from adapter_lib.spec.configs import config_to_dict
from adapter_lib.spec.strings import parse_config
from hubsite.accounts.models import User
from hubsite.registry.models import Commit, Repo, RepoKind, Task
from hubsite.search.analysis import ANALYZER, analyzer
from hubsite.search.document import Badge, Document, Hit, VerifiedScore
from hubsite.search.index_folder import IndexFolder
from hubsite.search.indexer import follow_once
from hubsite.search.schema import schema, to_tantivy
from hubsite.validation.models import Run, Score, Suite
from tests.hubsite import factories

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
BERT = "google-bert/bert-base-uncased"
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)

HIT = Hit(
    namespace="demo",
    name="lora",
    revision="a" * 40,
    version="v1",
    summary="Tells praise from complaint in short sentences.",
    task="sentiment",
    task_name="Sentiment analysis",
    dataset="film-reviews",
    languages=("en",),
    language_names=("English",),
    backbone=MINILM,
    method="lora",
    config="r=8 q,v",
    license="apache-2.0",
    size=300_000,
    parameters=73_728,
    badge=Badge.UNSCORED,
    score=None,
    downloads=0,
    likes=0,
    published_at=FIRST_DAY,
    private=False,
)


def document(number: int = 1, *, body: str = "", aliases: tuple[str, ...] = (), **changes: Any) -> Document:
    """A document of its own id, published on day `number`, that differs from HIT in `changes`."""
    value = changes.pop("value", None)
    if value is not None:
        score = VerifiedScore("tiny v1", "accuracy", value, value - 0.05, value + 0.05, 0.5, 0.6, None, 80)
        changes |= {"score": score, "badge": Badge.VERIFIED}
    changes = {"name": f"adapter{number}", "published_at": FIRST_DAY + timedelta(days=number)} | changes
    owner_id = changes.pop("owner_id", 1)
    return Document(number, replace(HIT, **changes), body, aliases, owner_id)


def fill(documents: Iterable[Document]) -> IndexFolder:
    """A new index of exactly these, in the configured folder."""
    folder = IndexFolder.configured()
    with folder.writing():
        generation = folder.new_generation()
        index = tantivy.Index(schema(), str(generation))
        index.register_tokenizer(ANALYZER, analyzer())
        writer = index.writer(15_000_000, 1)
        for one in documents:
            writer.add_document(to_tantivy(one))
        writer.commit()
        writer.wait_merging_threads()
        folder.switch_to(generation)
    return folder


def index_all() -> None:
    """Bring everything that waits in the outbox into the configured index."""
    while follow_once(IndexFolder.configured(), Event()):
        pass


def make_adapter(
    user: User,
    name: str,
    *,
    config: str = "lora",
    backbone: str = MINILM,
    published: bool = True,
    private: bool = False,
    body: str = "Tells praise from complaint.",
    **front: Any,
) -> Commit:
    """A commit of a native adapter, published unless told, for `sentiment` in English; `front`: card."""
    repo = Repo.objects.filter(namespace=user.namespace, key=name.casefold(), is_dataset=False).first()
    repo = repo or factories.make_repo(user, name, private=private)
    matter = {
        "adapter_task": "sentiment",
        "language": "en",
        "license": "apache-2.0",
        "base_model": backbone,
    } | front
    files = {
        "README.md": f"---\n{yaml.safe_dump(matter)}---\n{body}\n".encode(),
        "adapter_config.json": manifest(config, backbone),
        "adapter.safetensors": weights(f"{user.username}/{name}"),
    }
    commit = factories.make_commit(repo, files)
    return factories.publish(commit) if published else commit


def manifest(config: str, backbone: str) -> bytes:
    """A native adapter_config.json."""
    parsed = parse_config(config)
    made_for = {
        "id": backbone,
        "revision": None,
        "fingerprint": "0123456789abcdef",
        "model_type": "bert",
        "hidden_size": 384,
        "num_layers": 6,
    }
    values = {
        "format": "adapter_lib",
        "schema_version": 1,
        "method": parsed.method,
        "config": config_to_dict(parsed),
        "family": "bert",
        "role_table": "0123456789abcdef",
        "backbone": made_for,
        "head": None,
        "library": {"name": "adapter_lib", "version": "0.1.0"},
    }
    return json.dumps(values).encode()


def weights(seed: str) -> bytes:
    """A safetensors file with one tensor of four floats, different for each seed."""
    data = struct.pack("<4f", *(float(ord(letter)) for letter in seed.ljust(4)[-4:]))
    entry = {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 16]}
    header = json.dumps({"__metadata__": {"seed": seed}, "layers.0.attn.q.lora_a": entry}).encode()
    return struct.pack("<Q", len(header)) + header + data


def make_suite(owner: User, *, slug: str = "tiny", version: int = 1, task: str = "sentiment") -> Suite:
    """A suite for `task`, the current one of its slug."""
    name = f"{slug}-{version}"
    commit = factories.make_commit(
        factories.make_repo(owner, name, RepoKind.DATASET), {"test.jsonl": b"{}\n"}
    )
    Suite.objects.filter(slug=slug).update(current=False)
    return Suite.objects.create(
        slug=slug,
        version=version,
        task=Task.objects.get(slug=task),
        repo=commit.repo,
        commit=commit,
        protocol="text-classification",
        metric="accuracy",
        labels=["negative", "positive"],
    )


def give_score(commit: Commit, suite: Suite, value: float) -> Score:
    """A score as if the hub had measured it; the document is noted as stale like after a validation."""
    run, _ = Run.objects.get_or_create(commit=commit)
    return Score.objects.create(
        commit=commit,
        run=run,
        suite=suite,
        metric="accuracy",
        value=value,
        low=value - 0.05,
        high=value + 0.05,
        examples=80,
        examples_per_second=100.0,
        device="cpu",
        majority=0.5,
        probe=0.7,
    )


def names(hits: Sequence[Hit]) -> list[str]:
    """The hits' names, in their order."""
    return [hit.name for hit in hits]
