"""Training with the plain Trainer of transformers."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from torch.utils.data import Dataset

from adapter_lib import Parallel, Stack
from tests.adapter_lib.tiny import adapter_parameters, inputs, prepared


class Rows(Dataset[dict[str, Any]]):
    """Twelve short sentences whose class is the parity of their first token; one column no model knows."""

    def __init__(self) -> None:
        self.ids = inputs(12, 6)["input_ids"]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[str, Any]:
        ids = self.ids[index]
        return {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "labels": int(ids[0] % 2),
            "noise": 1,
        }


def _train(model: Any, folder: Path, **settings: Any) -> list[float]:
    options = {"max_steps": 12, "learning_rate": 1e-2, "logging_steps": 1} | settings
    arguments = hf.TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        per_device_train_batch_size=6,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        seed=1,
        **options,
    )
    trainer = hf.Trainer(model=model, args=arguments, train_dataset=Rows(), eval_dataset=Rows())
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert trainer.evaluate()["eval_loss"] < losses[0]
    return losses


@pytest.mark.parametrize("method", ["lora[r=4]", "seq_bn", "par_bn"])
@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_the_loss_falls_and_only_the_adapter_and_its_head_move(
    family: str, method: str, tmp_path: Path
) -> None:
    model = prepared(family, one=method, other="lora")
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    losses = _train(model, tmp_path)
    assert losses[-1] < losses[0]
    moved = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    trained = {name for name in before if "adapter:one." in name or "head:one." in name}
    assert moved == trained


def test_accumulated_gradients_are_averaged_over_all_rows(tmp_path: Path) -> None:
    losses = []
    for settings in ({}, {"per_device_train_batch_size": 3, "gradient_accumulation_steps": 2}):
        model = prepared("bert", one="lora[r=4]")
        torch.manual_seed(0)
        model.add_classification_head("one", num_labels=2)
        model.train_adapter("one")
        model.config.hidden_dropout_prob = 0.0
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        losses.append(_train_plain(model, tmp_path, settings))
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def _train_plain(model: Any, folder: Path, settings: dict[str, int]) -> list[float]:
    given = {"per_device_train_batch_size": 6} | settings
    arguments = hf.TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        max_steps=3,
        logging_steps=1,
        seed=1,
        **given,  # type: ignore[arg-type]
    )
    trainer = hf.Trainer(model=model, args=arguments, train_dataset=Rows())
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def test_parallel_adapters_train_side_by_side(tmp_path: Path) -> None:
    model = prepared("bert", a="lora[r=4]", b="seq_bn")
    for name in ("a", "b"):
        model.add_classification_head(name, num_labels=2)
    model.train_adapter(Parallel("a", "b"))
    losses = _train(model, tmp_path)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("family", ["bert", "llama"])
def test_gradient_checkpointing_gives_the_same_gradients(family: str, reentrant: bool) -> None:
    gradients = []
    for is_checkpointed in (False, True):
        model = prepared(family, a="lora[r=4]", b="double_seq_bn")
        model.add_classification_head("b", num_labels=2)
        torch.manual_seed(0)
        for parameter in model.adapter_runtime.heads.parameters():
            torch.nn.init.normal_(parameter)
        model.train_adapter(Stack("a", "b"))
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        if is_checkpointed:
            # The first name is new in 5.23, the second deprecated there.
            enable = (
                getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
            )
            enable({"use_reentrant": reentrant})
            model.enable_input_require_grads()
        model(**inputs(), labels=torch.tensor([0, 1, 1])).loss.backward()
        gradients.append([p.grad for name in ("a", "b") for p in adapter_parameters(model, name)])
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-6, rtol=1e-5)


def test_checkpoints_hold_the_adapters_so_that_training_can_go_back_and_on(tmp_path: Path) -> None:
    def trainer(model: Any, **settings: Any) -> hf.Trainer:
        arguments = hf.TrainingArguments(
            output_dir=str(tmp_path),
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
            save_steps=2,
            eval_steps=2,
            per_device_train_batch_size=6,
            seed=1,
            **settings,
        )
        return hf.Trainer(model=model, args=arguments, train_dataset=Rows(), eval_dataset=Rows())

    def model() -> Any:
        found = prepared("bert", one="lora[r=4]")
        torch.manual_seed(0)
        found.add_classification_head("one", num_labels=2)
        found.train_adapter("one")
        return found

    best = model()
    settings = {"max_steps": 6, "learning_rate": 0.01, "eval_strategy": "steps"}
    # Going back to the worst shows that something is gone back to: the last would be the best.
    going_back = {
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": True,
    }
    run = trainer(best, **settings, **going_back)
    run.train()
    losses = {entry["step"]: entry["eval_loss"] for entry in run.state.log_history if "eval_loss" in entry}
    assert max(losses.values()) > losses[6]
    assert run.evaluate()["eval_loss"] == pytest.approx(max(losses.values()), rel=1e-5)

    resumed = model()
    again = trainer(resumed, **settings)
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert again.state.global_step == 6
    assert again.evaluate()["eval_loss"] == pytest.approx(losses[6], rel=1e-4)
