"""Learning rates: the methods' own where nobody chose one, and LoRA+."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from adapter_lib import Fuse, Stack, list_methods, lora_plus_groups
from adapter_lib.spec.errors import ConfigError
from tests.adapter_lib.tiny import prepared
from tests.adapter_lib.training.running import arguments, losses, resumed_exactly, trainer, with_head

OWN = {method.name: method.learning_rate for method in list_methods()}


def _rates(run: Any) -> dict[str, float]:
    """The rate of every trained parameter by name."""
    run.create_optimizer()
    names = {id(p): name for name, p in run.model.named_parameters()}
    groups = run.optimizer.param_groups
    found = {names[id(p)]: group["lr"] for group in groups for p in group["params"]}
    assert len(found) == sum(len(group["params"]) for group in groups)
    assert set(found) == {name for name, p in run.model.named_parameters() if p.requires_grad}
    return found


def test_a_method_learns_at_its_own_rate_if_none_was_chosen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = trainer(with_head("lora"), tmp_path, learning_rate=5e-5)
    assert set(_rates(run).values()) == {OWN["lora"]}
    said = [record.message for record in caplog.records if record.name == "adapter_lib.training"]
    assert len(said) == 1
    assert f"{OWN['lora']:g} for the adapter 'one' (lora)" in said[0]


def test_a_chosen_rate_is_used_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert set(_rates(trainer(with_head(), tmp_path, learning_rate=3e-5)).values()) == {3e-5}
    run = trainer(with_head(), tmp_path, learning_rate=5e-5, own={"own_rates": False})
    assert set(_rates(run).values()) == {5e-5}
    assert not caplog.records


def test_nothing_is_said_if_only_errors_are_to_be(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    try:
        _rates(trainer(with_head(), tmp_path, learning_rate=5e-5, log_level="error"))
    finally:
        hf.logging.set_verbosity_warning()
    assert not caplog.records


def test_each_of_several_adapters_learns_at_its_own_rate(tmp_path: Path) -> None:
    model = with_head("lora|seq_bn", two="ia3", three="seq_bn|lora")
    model.add_classification_head("two", num_labels=2)
    model.train_adapter(Stack("one", "two", "three"))
    model.get_submodule("embeddings.LayerNorm").requires_grad_(True)
    for name, rate in _rates(trainer(model, tmp_path, learning_rate=5e-5)).items():
        if "embeddings.LayerNorm" in name:
            assert rate == 5e-5
        elif ":one." in name or ":three." in name:
            assert rate == min(OWN["lora"], OWN["bottleneck"]), (
                "a union learns at the lowest of its members' rates"
            )
        else:
            assert rate == OWN["ia3"]
            assert ":two." in name


def test_a_head_without_an_adapter_learns_as_the_fusion_does(tmp_path: Path) -> None:
    model = prepared("bert", a="seq_bn", b="seq_bn")
    model.add_adapter_fusion(["a", "b"])
    model.add_classification_head("a", num_labels=2)
    model.train_adapter_fusion(Fuse("a", "b"), head="a")
    assert set(_rates(trainer(model, tmp_path, learning_rate=5e-5)).values()) == {OWN["fusion"]}


def test_weight_decays_as_the_trainer_has_it(tmp_path: Path) -> None:
    model = with_head("seq_bn")
    ours = trainer(model, tmp_path, weight_decay=0.1)
    theirs = trainer(model, tmp_path, cls=hf.Trainer, weight_decay=0.1)
    decayed = [
        {
            id(p)
            for group in run.create_optimizer().param_groups
            if group["weight_decay"]
            for p in group["params"]
        }
        for run in (ours, theirs)
    ]
    assert decayed[0] == decayed[1]
    assert 0 < len(decayed[0]) < sum(p.requires_grad for p in model.parameters())


def test_the_schedule_scales_every_rate(tmp_path: Path) -> None:
    model = with_head("lora", two="ia3")
    model.train_adapter(Stack("two", "one"))
    run = trainer(model, tmp_path, learning_rate=5e-5, max_steps=4)
    run.train()
    assert {group["initial_lr"] for group in run.optimizer.param_groups} == {OWN["lora"], OWN["ia3"]}
    assert {group["lr"] for group in run.optimizer.param_groups} == {0.0}


def _by_letter(model: Any, groups: list[dict[str, Any]]) -> dict[str, set[float]]:
    names = {id(p): name for name, p in model.named_parameters()}
    found: dict[str, set[float]] = {}
    for group in groups:
        for parameter in group["params"]:
            last = names[id(parameter)].rpartition(".")[2]
            found.setdefault(last if last.startswith("lora") else "rest", set()).add(group["lr"])
    return found


@pytest.mark.parametrize("method", ["lora", "dora", "mtl_lora", "lora|seq_bn"])
def test_b_learns_faster_than_a(method: str) -> None:
    model = with_head(method)
    found = _by_letter(model, lora_plus_groups(model, 1e-4, 8.0))
    assert found == {"lora_a": {1e-4}, "lora_b": {8e-4}, "rest": {1e-4}}


def test_an_adapter_on_an_embedding_has_a_rate_of_its_own() -> None:
    model = with_head("lora[targets=[word_embeddings, q]]")
    groups = lora_plus_groups(model, 1e-4, embedding_lr=1e-5, weight_decay=0.1)
    assert _by_letter(model, groups)["lora_b"] == {16e-4, 1e-5}
    assert sum(len(group["params"]) for group in groups) == sum(p.requires_grad for p in model.parameters())


def test_what_decays_with_lora_plus_is_what_decays_with_the_trainer(tmp_path: Path) -> None:
    model = with_head("lora|norm_tuning|seq_bn")
    names = {id(p): name for name, p in model.named_parameters()}
    theirs = trainer(model, tmp_path, cls=hf.Trainer, weight_decay=0.1).create_optimizer().param_groups
    found = [
        {names[id(p)] for group in groups if group["weight_decay"] for p in group["params"]}
        for groups in (lora_plus_groups(model, 1e-3, weight_decay=0.1), theirs)
    ]
    assert found[0] == found[1]


def test_the_trainer_takes_lora_plus(tmp_path: Path) -> None:
    model = with_head("lora")
    chosen = trainer(model, tmp_path, learning_rate=1e-3, own={"lora_plus_ratio": 4.0})
    found = _by_letter(model, chosen.create_optimizer().param_groups)
    assert found == {"lora_a": {1e-3}, "lora_b": {4e-3}, "rest": {1e-3}}
    by_itself = trainer(model, tmp_path, learning_rate=5e-5, own={"lora_plus_ratio": 4.0})
    found = _by_letter(model, by_itself.create_optimizer().param_groups)
    rate = OWN["lora"]
    assert found == {"lora_a": {rate / 2}, "lora_b": {rate * 2}, "rest": {rate}}, (
        "the product learns as before"
    )


@pytest.mark.matrix
def test_lora_plus_is_resumed_exactly(tmp_path: Path) -> None:
    def start(model: Any, folder: Path, **settings: Any) -> Any:
        return trainer(model, folder, own={"lora_plus_ratio": 16.0}, **{"learning_rate": 1e-3} | settings)

    resumed_exactly(with_head, tmp_path, start)


def test_the_plain_trainer_takes_the_groups(tmp_path: Path) -> None:
    model = with_head("lora")
    options = {"params": lora_plus_groups(model, 1e-3, 16.0)}
    run = trainer(
        model,
        tmp_path,
        cls=hf.Trainer,
        max_steps=8,
        own={"optimizer_cls_and_kwargs": (torch.optim.AdamW, options)},
    )
    run.train()
    assert _by_letter(model, [{**g, "lr": g["initial_lr"]} for g in run.optimizer.param_groups])[
        "lora_b"
    ] == {0.016}
    assert losses(run)[-1] < losses(run)[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 0.0}, "lr must be positive"),
        ({"lr": 1e-3, "ratio": -1.0}, "ratio must be positive"),
        ({"lr": 1e-3, "ratio": float("nan")}, "ratio must be positive"),
        ({"lr": 1e-3, "embedding_lr": 0.0}, "embedding_lr must be positive"),
    ],
)
def test_rates_that_cannot_be_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        lora_plus_groups(with_head(), **settings)


def test_lora_plus_without_a_and_b_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none is trained"):
        lora_plus_groups(with_head("seq_bn"), 1e-3)
    run = trainer(with_head(), tmp_path, optim="adafactor", own={"lora_plus_ratio": 4.0})
    assert len(run.create_optimizer().param_groups) > 1


def test_an_optimizer_of_the_callers_own_keeps_its_rate(tmp_path: Path) -> None:
    for options, rate in (({"lr": 0.25}, 0.25), ({}, 1e-3)):
        own = {"optimizer_cls_and_kwargs": (torch.optim.AdamW, options)}
        run = trainer(with_head(), tmp_path, learning_rate=5e-5, own=own)
        assert set(_rates(run).values()) == {rate}
    groups = {"params": lora_plus_groups(with_head(), 1e-3)}
    own = {"optimizer_cls_and_kwargs": (torch.optim.AdamW, groups), "lora_plus_ratio": 2.0}
    with pytest.raises(ConfigError, match="LoRA\\+ needs an optimizer that takes parameter groups"):
        trainer(with_head(), tmp_path, own=own).create_optimizer()


def test_other_optimizers_get_the_groups_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    given = arguments(tmp_path, optim="adafactor", learning_rate=5e-5)
    run = trainer(with_head("ia3"), tmp_path)
    run.args = given
    assert {group["lr"] for group in run.create_optimizer().param_groups} == {OWN["ia3"]}
