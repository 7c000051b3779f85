"""AdapterTrainer: what its checkpoints hold, and that training goes on from them exactly."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file

import adapter_lib
from adapter_lib import AdapterTrainer, Fuse, Parallel, Route, Stack
from adapter_lib.spec.errors import AttachError, ConfigError, LoadError
from adapter_lib.training import AdaLoRACallback, AdapterDropCallback
from adapter_lib.training.checkpoints import load_trained, save_trained
from tests.adapter_lib.tiny import build, prepared
from tests.adapter_lib.training.running import (
    arguments,
    differing,
    losses,
    resumed_exactly,
    state,
    trainer,
    with_head,
)
from tests.adapter_lib.zoo.spreading import spread


@pytest.mark.parametrize(
    "method",
    spread(["lora[r=4, dropout=0.2]", "vera[r=8]", "seq_bn|prefix_tuning_flat[prefix_length=2]"]),
)
def test_training_is_resumed_exactly(method: str, tmp_path: Path) -> None:
    resumed_exactly(lambda: with_head(method), tmp_path, trainer)


def test_training_is_resumed_exactly_in_the_middle_of_an_epoch_with_accumulation(tmp_path: Path) -> None:
    def start(model: Any, folder: Path, **settings: Any) -> Any:
        return trainer(
            model,
            folder,
            per_device_train_batch_size=1,
            gradient_accumulation_steps=4,
            warmup_steps=2,
            **settings,
        )

    resumed_exactly(with_head, tmp_path, start, steps=4)


def _fused() -> Any:
    model = prepared("bert", a="seq_bn", b="lora[r=4]")
    model.add_adapter_fusion(["a", "b"], "dynamic")
    torch.manual_seed(0)
    model.add_classification_head("fused", num_labels=2)
    model.train_adapter_fusion(Fuse("a", "b"), head="fused")
    return model


def test_a_fusion_and_its_head_are_saved_and_resumed_exactly(tmp_path: Path) -> None:
    resumed_exactly(_fused, tmp_path, trainer)
    assert not (tmp_path / "whole" / "checkpoint-6" / "also_trained.safetensors").exists()
    fresh = adapter_lib.init(build("bert"))
    fresh.load_adapter_setup(tmp_path / "whole" / "checkpoint-6" / "adapter_setup")
    assert fresh.active_adapters == Fuse("a", "b")
    assert fresh.active_head == "fused"
    again = _fused()
    run = trainer(again, tmp_path / "new", max_steps=6)
    run._load_from_checkpoint(str(tmp_path / "whole" / "checkpoint-6"))
    assert differing(state(fresh.eval()), state(again.eval())) == []


@pytest.mark.matrix
def test_several_adapters_and_a_route_are_resumed_exactly(tmp_path: Path) -> None:
    def parallel() -> Any:
        model = prepared("gpt2", a="lora[r=4]", b="seq_bn")
        torch.manual_seed(0)
        for name in ("a", "b"):
            model.add_classification_head(name, num_labels=2, pooling="last")
        model.train_adapter(Parallel("a", "b"))
        return model

    def routed() -> Any:
        model = prepared("bert", a="lora[r=4]", b="lora[r=2]")
        torch.manual_seed(0)
        model.add_route(["a", "b"])
        model.add_classification_head("b", num_labels=2)
        model.train_route(Route("a", "b"))
        return model

    resumed_exactly(parallel, tmp_path / "parallel", trainer)
    resumed_exactly(routed, tmp_path / "routed", trainer)


@pytest.mark.matrix
def test_adalora_and_adapter_drop_go_on_where_they_were(tmp_path: Path) -> None:
    def adalora(model: Any, folder: Path, **settings: Any) -> Any:
        run = trainer(model, folder, **settings)
        assert sum(isinstance(each, AdaLoRACallback) for each in run.callback_handler.callbacks) == 1
        return run

    def dropping(model: Any, folder: Path, **settings: Any) -> Any:
        return trainer(model, folder, own={"callbacks": [AdapterDropCallback(model, seed=3)]}, **settings)

    runs = resumed_exactly(
        lambda: with_head("adalora[init_r=4, target_r=1]"), tmp_path / "a", adalora, steps=4
    )
    known = [
        each.checkpoint_tensors()
        for run in runs
        for each in run.callback_handler.callbacks
        if isinstance(each, AdaLoRACallback)
    ]
    assert len(known[0]) == 4 * (1 + 2 * 3), "four places with a choice, and two means of P, Λ and Q"
    assert differing(known[0], known[1]) == []
    resumed_exactly(lambda: with_head("seq_bn"), tmp_path / "b", dropping, steps=4)


def test_a_checkpoint_of_a_training_without_the_callback_is_refused(tmp_path: Path) -> None:
    model = with_head("adalora[init_r=4, target_r=1]")
    trainer(model, tmp_path, max_steps=2, save_strategy="steps", save_steps=1).train()
    (tmp_path / "checkpoint-1" / "callbacks.safetensors").unlink()
    run = trainer(with_head("adalora[init_r=4, target_r=1]"), tmp_path, max_steps=2)
    with pytest.raises(LoadError, match="saved without AdaLoRACallback"):
        run.train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))


def test_a_checkpoint_holds_nothing_of_the_backbone(tmp_path: Path) -> None:
    model = with_head()
    trainer(model, tmp_path, max_steps=1, save_strategy="steps", save_steps=1).train()
    files = {
        str(path.relative_to(tmp_path / "checkpoint-1"))
        for path in (tmp_path / "checkpoint-1").rglob("*")
        if path.is_file()
    }
    assert files == {
        "adapter_setup/setup_config.json",
        "adapter_setup/adapters/one/adapter_config.json",
        "adapter_setup/adapters/one/adapter.safetensors",
        "optimizer.pt",
        "scheduler.pt",
        "rng_state.pth",
        "trainer_state.json",
        "training_args.bin",
    }
    fresh = adapter_lib.init(build("bert"))
    fresh.load_adapter_setup(tmp_path / "checkpoint-1" / "adapter_setup")
    assert differing(state(fresh), state(model)) == []


def test_what_is_trained_of_the_backbone_is_saved_too_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def make() -> Any:
        model = with_head()
        model.get_submodule("embeddings.LayerNorm").requires_grad_(True)
        return model

    resumed_exactly(make, tmp_path, trainer)
    saved = load_file(tmp_path / "whole" / "checkpoint-3" / "also_trained.safetensors")
    assert set(saved) == {"embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"}
    assert "2 tensors beside the active set-up are trained and saved too" in caplog.text
    with pytest.raises(
        LoadError, match=r"embeddings\.LayerNorm\.bias is trained on the model or in the checkpoint"
    ):
        trainer(with_head(), tmp_path / "new", max_steps=6).train(
            resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-3")
        )


def test_the_best_checkpoint_is_gone_back_to_and_few_are_kept(tmp_path: Path) -> None:
    model = with_head()
    fits = iter([1.0, 5.0, 2.0, 0.0])
    every_step = {"save_strategy": "steps", "save_steps": 1, "eval_strategy": "steps", "eval_steps": 1}
    run = trainer(
        model,
        tmp_path,
        max_steps=4,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="fit",
        own={"compute_metrics": lambda found: {"fit": next(fits)}},
        **every_step,
    )
    parameters = {id(parameter) for parameter in model.parameters()}
    run.train()
    assert {path.name for path in tmp_path.glob("checkpoint-*")} == {"checkpoint-2", "checkpoint-4"}
    for step, is_here in ((2, True), (4, False)):
        fresh = adapter_lib.init(build("bert"))
        fresh.load_adapter_setup(tmp_path / f"checkpoint-{step}" / "adapter_setup")
        assert (differing(state(fresh), state(model)) == []) == is_here
    assert {id(parameter) for parameter in model.parameters()} == parameters, "the optimizer keeps its own"


def test_the_statistics_of_batch_norms_are_kept(tmp_path: Path) -> None:
    model = adapter_lib.init(WithBatchNorm())
    model.add_adapter("one", "lora[targets=[linear]]")
    model.train_adapter("one")
    model(torch.randn(8, 4))
    assert set(save_trained(model, tmp_path)) == {
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
    }
    before = state(model)
    model(torch.randn(8, 4))
    assert "norm.running_mean" in differing(state(model), before)
    load_trained(model, tmp_path)
    assert differing(state(model), before) == []


class WithBatchNorm(torch.nn.Module):
    """A backbone that every batch in training changes."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)
        self.norm = torch.nn.BatchNorm1d(4)

    def forward(self, x: torch.Tensor) -> Any:
        """x [B, 4]"""
        return self.norm(self.linear(x))


def test_saving_the_model_at_the_end_beside_its_checkpoints(tmp_path: Path) -> None:
    model = with_head()
    run = trainer(model, tmp_path, max_steps=2, save_strategy="steps", save_steps=1)
    run.train()
    for _ in range(2):
        run.save_model()
    fresh = adapter_lib.init(build("bert"))
    fresh.load_adapter_setup(tmp_path / "adapter_setup")
    assert differing(state(fresh), state(model)) == []
    assert run.predict(run.eval_dataset).predictions.shape == (12, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: with_head("lora[r=2]"), "'one' is (lora|LoRA)"),
        (lambda: _stacked(), r"was trained with Stack\('one'\), but Stack\('two', 'one'\) is active"),
        (lambda: _without_head(), "heads"),
    ],
)
def test_a_model_that_is_set_up_otherwise_is_refused_and_stays(
    make: Any, message: str, tmp_path: Path
) -> None:
    trainer(with_head(), tmp_path, max_steps=1, save_strategy="steps", save_steps=1).train()
    model = make()
    before = state(model)
    with pytest.raises(LoadError, match=message):
        trainer(model, tmp_path, max_steps=2).train(resume_from_checkpoint=True)
    assert differing(state(model), before) == []


def _stacked() -> Any:
    model = with_head(two="lora")
    model.train_adapter(Stack("two", "one"))
    return model


def _without_head() -> Any:
    model = with_head()
    model.set_active_adapters("one", head=None)
    return model


def test_a_checkpoint_of_the_plain_trainer_is_refused(tmp_path: Path) -> None:
    trainer(with_head(), tmp_path, cls=hf.Trainer, max_steps=1, save_strategy="steps", save_steps=1).train()
    with pytest.raises(LoadError, match="is no checkpoint of AdapterTrainer"):
        trainer(with_head(), tmp_path, max_steps=2).train(resume_from_checkpoint=True)


def test_another_backbone_is_refused(tmp_path: Path) -> None:
    trainer(with_head(), tmp_path, max_steps=1, save_strategy="steps", save_steps=1).train()
    model = with_head()
    with torch.no_grad():
        model.get_submodule("encoder.layer.0.attention.self.query").weight.neg_()
    with pytest.raises(LoadError, match="fingerprint"):
        trainer(model, tmp_path, max_steps=2).train(resume_from_checkpoint=True)


def test_what_it_does_not_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(AttachError, match="none is active"):
        AdapterTrainer(model=build("bert"), args=arguments(tmp_path))
    with pytest.raises(AttachError, match="none is active"):
        AdapterTrainer(model=prepared("bert", one="lora"), args=arguments(tmp_path))
    with pytest.raises(ConfigError, match=r"adapter_lib\.publish"):
        AdapterTrainer(model=with_head(), args=arguments(tmp_path, push_to_hub=True))
    run = trainer(with_head(), tmp_path)
    with pytest.raises(ConfigError, match=r"adapter_lib\.publish"):
        run.push_to_hub()
    run.model.requires_grad_(False)
    with pytest.raises(AttachError, match="Nothing on this model is trained"):
        run.train()


def test_a_model_can_be_made_by_the_trainer(tmp_path: Path) -> None:
    run = AdapterTrainer(
        args=arguments(tmp_path, max_steps=2, learning_rate=1e-2),
        model_init=lambda: with_head(),
        train_dataset=trainer(with_head(), tmp_path).train_dataset,
    )
    run.train()
    first = losses(run)
    run.train()
    assert losses(run) == first
