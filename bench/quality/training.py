"""One run: train a contender on sentences, then answer a split's."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

import adapter_lib
from adapter_lib.heads.given import Given
from adapter_lib.heads.pooling import pool_mean
from bench.quality.contenders import FULL, HEAD, PROBE, Contender, config_for
from bench.quality.outcomes import Outcome, Plan, packed
from bench.quality.texts import Sentences

BATCH, MOST_TOKENS, WARM_UP, LARGEST_NORM = 16, 64, 0.06, 1.0
_NAME = "trained"


@dataclass(frozen=True)
class Encoded:
    """Token ids row by row, and the labels."""

    ids: list[list[int]]
    labels: list[int]
    padding: int

    def batch(self, rows: list[int]) -> dict[str, Tensor]:
        """Some rows, padded to the longest of them."""
        longest = max(len(self.ids[row]) for row in rows)
        ids = torch.full((len(rows), longest), self.padding)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(self.ids[row])] = torch.tensor(self.ids[row])
            mask[i, : len(self.ids[row])] = 1
        return {"input_ids": ids, "attention_mask": mask}


def encode(backbone: Path, sentences: Sentences) -> Encoded:
    """Sentences as tokens, at most MOST_TOKENS each."""
    tokenizer: Any = AutoTokenizer.from_pretrained(backbone)
    ids = tokenizer(list(sentences.texts), truncation=True, max_length=MOST_TOKENS)["input_ids"]
    return Encoded(ids, list(sentences.labels), tokenizer.pad_token_id)


def run(backbone: Path, plan: Plan, contender: Contender, train: Sentences, test: Sentences) -> Outcome:
    """Train and answer, all of it decided by the plan's seed."""
    torch.manual_seed(plan.seed)
    known, asked = encode(backbone, train), encode(backbone, test)
    if contender.name == PROBE:
        return _probe(backbone, plan, known, asked)
    model = prepared(backbone, contender, train.names, known.ids)
    losses, seconds = _train(model, known, plan)
    answers = _answers(model, asked)
    head = sum(p.numel() for p in model.adapter_runtime.heads.get(_NAME).parameters())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return _outcome(plan, asked.labels, answers, (trained, head), statistics.median(seconds), losses[-50:])


def prepared(backbone: Path, contender: Contender, labels: tuple[str, ...], ids: list[list[int]]) -> Any:
    """The backbone with a contender's trainable parameters and a head of one linear map on mean pooling."""
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    model.add_classification_head(_NAME, labels=list(labels))
    if contender.config:
        model.add_adapter(_NAME, config_for(contender, ids))
        model.train_adapter(_NAME)
        return model
    model.set_active_adapters(None, head=_NAME)
    model.requires_grad_(contender.name == FULL)
    if contender.name == HEAD:
        model.adapter_runtime.heads.get(_NAME).requires_grad_(True)
    # The head does not read the pooler: it would be counted and never trained.
    model.pooler.requires_grad_(False)
    return model.train()


def _train(model: Any, known: Encoded, plan: Plan) -> tuple[list[float], list[float]]:
    batches = list(_batches(len(known.labels), plan))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=plan.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share(step, len(batches)))
    losses, seconds = [], []
    for rows in batches:
        begun = time.perf_counter()
        labels = torch.tensor([known.labels[row] for row in rows])
        loss = model(**known.batch(rows), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, LARGEST_NORM)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - begun)
    return losses, seconds


def _batches(count: int, plan: Plan) -> Iterator[list[int]]:
    shuffle = torch.Generator().manual_seed(plan.seed)
    for _ in range(plan.epochs):
        rows = torch.randperm(count, generator=shuffle).tolist()
        yield from (rows[start : start + BATCH] for start in range(0, count, BATCH))


def _share(step: int, steps: int) -> float:
    """Linear warm-up, then linear decay to nothing."""
    warm = max(1, round(WARM_UP * steps))
    return (step + 1) / warm if step < warm else (steps - step) / max(1, steps - warm)


@torch.no_grad()
def _answers(model: Any, asked: Encoded) -> list[int]:
    model.eval()
    answers: list[int] = []
    for start in range(0, len(asked.labels), 64):
        rows = list(range(start, min(start + 64, len(asked.labels))))
        answers += model(**asked.batch(rows)).logits.argmax(dim=-1).tolist()
    return answers


@torch.no_grad()
def _features(backbone: Path, encoded: Encoded) -> Tensor:
    model: Any = AutoModel.from_pretrained(backbone).eval()
    found = []
    for start in range(0, len(encoded.labels), 64):
        batch = encoded.batch(list(range(start, min(start + 64, len(encoded.labels)))))
        found.append(pool_mean(model(**batch).last_hidden_state, Given(mask=batch["attention_mask"])))
    return torch.cat(found)


def _probe(backbone: Path, plan: Plan, known: Encoded, asked: Encoded) -> Outcome:
    fitted = LogisticRegression(max_iter=2000).fit(_features(backbone, known).numpy(), known.labels)
    answers = fitted.predict(_features(backbone, asked).numpy()).tolist()
    count = int(fitted.coef_.size + fitted.intercept_.size)
    return _outcome(plan, asked.labels, answers, (count, count), 0.0, [])


def _outcome(
    plan: Plan,
    labels: list[int],
    answers: list[int],
    sizes: tuple[int, int],
    seconds: float,
    losses: list[float],
) -> Outcome:
    right = [given == wanted for given, wanted in zip(answers, labels, strict=True)]
    return Outcome(
        plan=plan,
        accuracy=sum(right) / len(right),
        right=packed(right),
        rows=len(right),
        parameters=sizes[0],
        head_parameters=sizes[1],
        seconds_per_step=seconds,
        largest_class=Counter(answers).most_common(1)[0][1] / len(answers),
        loss=statistics.mean(losses) if losses else 0.0,
        versions={name: version(name) for name in ("adapter-lib", "torch", "transformers")},
    )
