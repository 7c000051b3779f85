"""Train two adapters for one backbone, publish them on a hub, and load the better one back by its task.

    export ADAPTER_HUB_ENDPOINT=http://127.0.0.1:8000 ADAPTER_HUB_TOKEN=ahub_…
    python examples/sentiment/train_and_publish.py

What the hub has published already is not trained again.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import snapshot_download
from transformers import (
    AutoModel,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

import adapter_lib
from adapter_lib import AdapterLibError, LoRAConfig, SeqBnConfig

ENDPOINT = os.environ.get("ADAPTER_HUB_ENDPOINT", "http://127.0.0.1:8000")
BACKBONE = "sentence-transformers/all-MiniLM-L6-v2"
SUITE = Path(__file__).parent / "suite"
LABELS = ["negative", "positive"]
SEED = 1
SENTENCES = [
    "The trailer was dreadful, but the film itself is a joy.",
    "I have yet to meet anyone who enjoyed that meal.",
    "Not a cheap repair, and worth every penny.",
]


@dataclass(frozen=True)
class Recipe:
    """One adapter to train. Rates and epochs were chosen on the validation split, never on the test split."""

    name: str
    repo: str
    config: Any
    learning_rate: float
    epochs: int
    summary: str


RECIPES = [
    Recipe(
        name="lora",
        repo="demo/sentiment-lora",
        config=LoRAConfig(r=8, alpha=16, dropout=0.1),
        learning_rate=1e-3,
        epochs=10,
        summary="Tells praise from blame in short English sentences: a LoRA on query and value.",
    ),
    Recipe(
        name="seq_bn",
        repo="demo/sentiment-seq-bn",
        config=SeqBnConfig(),
        learning_rate=4e-3,
        epochs=10,
        summary="Tells praise from blame in short English sentences: a bottleneck adapter after each layer.",
    ),
]


def main() -> None:
    """Train, publish and load back, saying how long each part took."""
    if not os.environ.get("ADAPTER_HUB_TOKEN"):
        sys.exit(
            "ADAPTER_HUB_TOKEN is not set; `manage.py issue_token demo --scope write --create` prints one."
        )
    with part("the backbone from the hub"):
        folder = fetch_backbone()
    published = {hit.id for hit in adapter_lib.search(task="sentiment", limit=100)}
    for recipe in RECIPES:
        if recipe.repo in published:
            print(f"{recipe.repo} is on the hub already.")
            continue
        with part(f"training {recipe.name}"):
            model, accuracy = train(folder, recipe)
        print(f"{recipe.name}: accuracy {accuracy:.3f} on the validation split")
        with part(f"publishing and validating {recipe.repo}"):
            publish(model, recipe)
    with part("loading hub:sentiment/lora and predicting"):
        predict()


def fetch_backbone() -> str:
    """The backbone's folder, from the hub itself, kept apart from what was fetched from other hubs."""
    cache = Path(os.environ.get("ADAPTER_LIB_CACHE", "~/.cache/adapter_lib")).expanduser()
    kept = cache / "backbones" / ENDPOINT.partition("//")[2].replace(":", "_")
    return snapshot_download(BACKBONE, endpoint=ENDPOINT, cache_dir=kept)


def train(folder: str, recipe: Recipe) -> tuple[Any, float]:
    """A model with the trained adapter, and its accuracy on the validation split."""
    set_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = adapter_lib.init(AutoModel.from_pretrained(folder))
    model.add_adapter(recipe.name, recipe.config)
    model.add_classification_head(recipe.name, labels=LABELS, pooling="mean", dropout=0.1)
    model.train_adapter(recipe.name)
    with tempfile.TemporaryDirectory() as output:
        arguments = TrainingArguments(
            output_dir=output,
            learning_rate=recipe.learning_rate,
            num_train_epochs=recipe.epochs,
            per_device_train_batch_size=16,
            per_device_eval_batch_size=64,
            lr_scheduler_type="linear",
            warmup_steps=0.1,
            seed=SEED,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            dataloader_pin_memory=False,
        )
        trainer = Trainer(
            model,
            arguments,
            train_dataset=read_split("train", tokenizer),
            eval_dataset=read_split("validation", tokenizer),
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=lambda found: {
                "accuracy": float((np.argmax(found.predictions, axis=-1) == found.label_ids).mean())
            },
        )
        trainer.train()
        return model, trainer.evaluate()["eval_accuracy"]


def read_split(split: str, tokenizer: Any) -> list[dict[str, Any]]:
    """The split's sentences as token ids with their label's number."""
    rows = [json.loads(line) for line in (SUITE / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{**tokenizer(row["text"], truncation=True), "labels": LABELS.index(row["label"])} for row in rows]


def publish(model: Any, recipe: Recipe) -> None:
    """Upload the adapter and wait until the hub has validated it."""
    publication = adapter_lib.publish(
        model,
        recipe.repo,
        name=recipe.name,
        task="sentiment",
        dataset="demo/sentiment-sentences",
        language="en",
        license="apache-2.0",
        summary=recipe.summary,
    )
    print(f"{publication.repo_id}: {publication.state}, see {publication.url}")


def predict() -> None:
    """Ask the hub for the best LoRA for sentiment and let it read three sentences."""
    model = adapter_lib.load("hub:sentiment/lora")
    tokenizer = AutoTokenizer.from_pretrained(model.name_or_path)
    with torch.no_grad():
        logits = model(**tokenizer(SENTENCES, padding=True, return_tensors="pt")).logits
    for sentence, chances in zip(SENTENCES, logits.softmax(-1), strict=True):
        print(f"  {LABELS[int(chances.argmax())]} ({float(chances.max()):.2f})  {sentence}")


@contextmanager
def part(name: str) -> Iterator[None]:
    """Say how long what happens inside took."""
    started = time.monotonic()
    yield
    print(f"  {time.monotonic() - started:5.1f} s  {name}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except AdapterLibError as error:
        sys.exit(str(error))
