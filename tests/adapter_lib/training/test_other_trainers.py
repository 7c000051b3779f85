"""Seq2SeqAdapterTrainer, and what the plain Trainer can do with adapters besides."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

import adapter_lib
from adapter_lib import AdapterTrainer, Fuse, Seq2SeqAdapterTrainer
from tests.adapter_lib.model.test_training import Rows
from tests.adapter_lib.tiny import VOCABULARY, build, prepared
from tests.adapter_lib.training.running import (
    CHECKPOINTING,
    arguments,
    losses,
    own_precision,
    resumed_exactly,
    trainer,
    with_head,
)


class Copies(torch.utils.data.Dataset[dict[str, Any]]):
    """Sentences to be said again."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict[str, Any]:
        ids = torch.arange(3, 9) + index
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids[:4]}


def _t5() -> Any:
    torch.manual_seed(7)
    config = hf.T5Config(
        vocab_size=VOCABULARY,
        d_model=16,
        d_kv=4,
        d_ff=24,
        num_layers=1,
        num_heads=4,
        decoder_start_token_id=0,
    )
    model = adapter_lib.init(hf.T5ForConditionalGeneration(config))
    model.add_adapter("one", "lora[r=4]")
    model.train_adapter("one")
    return model


def _seq2seq(model: Any, folder: Path, **settings: Any) -> Any:
    given = arguments(
        folder,
        cls=hf.Seq2SeqTrainingArguments,
        **{"learning_rate": 1e-2, "predict_with_generate": True, "generation_max_length": 6} | settings,
    )
    return Seq2SeqAdapterTrainer(
        model=model,
        args=given,
        train_dataset=Copies(),
        eval_dataset=Copies(),
        compute_metrics=lambda found: {"longest": np.shape(found.predictions)[1]},
    )


def test_sequence_to_sequence_is_resumed_exactly_and_generates(tmp_path: Path) -> None:
    resumed_exactly(_t5, tmp_path, _seq2seq)
    model = _t5()
    run = _seq2seq(model, tmp_path / "more", max_steps=10)
    assert isinstance(run, AdapterTrainer)
    assert isinstance(run, hf.Seq2SeqTrainer)
    run.train()
    assert losses(run)[-1] < losses(run)[0]
    said = run.predict(Copies()).predictions
    plain = hf.Seq2SeqTrainer(model=model, args=run.args).predict(Copies()).predictions
    assert np.array_equal(said, plain)
    assert run.evaluate()["eval_longest"] == said.shape[1]


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (hf.Trainer, {"label_smoothing_factor": 0.1}),
        (hf.Trainer, {"train_sampling_strategy": "group_by_length"}),
        (hf.Trainer, {"gradient_accumulation_steps": 2, "average_tokens_across_devices": False}),
        (AdapterTrainer, {"label_smoothing_factor": 0.1}),
        (AdapterTrainer, {"bf16": True}),
        (AdapterTrainer, CHECKPOINTING),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else next(iter(given)),
)
def test_settings_of_the_trainer(cls: Any, settings: dict[str, Any], tmp_path: Path) -> None:
    with own_precision():
        run = trainer(with_head("seq_bn"), tmp_path, cls=cls, max_steps=6, **settings)
        before = run.evaluate()["eval_loss"]
        run.train()
        assert run.evaluate()["eval_loss"] < before


def _fusion() -> Any:
    """The second stage, with a part in the loss that keeps value matrices near the identity."""
    model = prepared("bert", a="seq_bn", b="seq_bn")
    model.add_adapter_fusion(["a", "b"], "dynamic[regularization=0.5]")
    torch.manual_seed(0)
    model.add_classification_head("a", num_labels=2)
    model.train_adapter_fusion(Fuse("a", "b"), head="a")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for part in model.adapter_runtime.injection.block_parts("fuse", "a,b").values():
        with torch.no_grad():
            for name, parameter in part.named_parameters():
                if "value" in name:
                    parameter.add_(0.1)
    return model


@pytest.mark.parametrize("rows", [{"per_device_train_batch_size": 6}, {"gradient_accumulation_steps": 2}])
def test_the_regulariser_is_in_the_loss_whoever_computes_it(rows: dict[str, int], tmp_path: Path) -> None:
    found = []
    for settings in ({}, {"label_smoothing_factor": 1e-9}):
        run = trainer(_fusion(), tmp_path, max_steps=2, **rows, **settings)
        run.train()
        found.append(losses(run))
    assert found[0] == pytest.approx(found[1], abs=1e-4)
    extra = _fusion().adapter_regularisation().item()
    assert extra > 1
    plain = trainer(_fusion(), tmp_path, cls=hf.Trainer, max_steps=2, label_smoothing_factor=1e-9, **rows)
    plain.train()
    assert found[1][0] == pytest.approx(losses(plain)[0] + extra, rel=1e-3)


def test_a_fusion_in_two_stages(tmp_path: Path) -> None:
    """Two adapters are trained, each with a head of its own, then a fusion of both."""
    model = adapter_lib.init(build("bert"))
    for name in ("a", "b"):
        model.add_adapter(name, "seq_bn")
        model.add_classification_head(name, num_labels=2)
        model.train_adapter(name)
        trainer(model, tmp_path / name, max_steps=6).train()
        model.save_adapter(tmp_path / "kept" / name, name)
    model.add_adapter_fusion(["a", "b"])
    model.add_classification_head("both", num_labels=2)
    model.train_adapter_fusion(Fuse("a", "b"), head="both")
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    run = trainer(model, tmp_path / "fusion", max_steps=12, save_strategy="steps", save_steps=12)
    run.train()
    assert losses(run)[-1] < losses(run)[0]
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert moved
    assert all("fuse:" in name or "head:both" in name for name in moved), moved

    again = adapter_lib.init(build("bert"))
    again.load_adapter_setup(tmp_path / "fusion" / "checkpoint-12" / "adapter_setup")
    batch = {"input_ids": Rows().ids}
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    with torch.no_grad():
        assert torch.equal(again.eval()(**batch).logits, model.eval()(**batch).logits)
