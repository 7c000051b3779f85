"""The watch over adapters that nothing reaches."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import transformers as hf

import adapter_lib
from adapter_lib import Parallel, Stack
from adapter_lib.training import GradientWarning, GradientWatch
from tests.adapter_lib.tiny import METHODS, build
from tests.adapter_lib.training.running import trainer, with_head

_SETTINGS = {"max_steps": 3}


def _thawed(model: Any, name: str) -> None:
    for parameter in model.adapter_runtime.injection.trained(name):
        parameter.requires_grad_(True)


@pytest.mark.parametrize("method", ["lora[r=4]", "seq_bn", "ia3", METHODS[-1]])
def test_adapters_that_start_at_zero_are_no_reason(method: str, tmp_path: Path) -> None:
    model = adapter_lib.init(build("bert"))
    model.add_adapter("one", method)
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer(model, tmp_path, **_SETTINGS).train()


def test_one_that_is_not_in_the_composition_is_named(tmp_path: Path) -> None:
    model = with_head(two="lora")
    _thawed(model, "two")
    with pytest.warns(
        GradientWarning, match=r"the adapter 'two', because it is not in the active Stack\('one'\)"
    ):
        trainer(model, tmp_path, **_SETTINGS).train()


def test_one_that_is_frozen_is_named(tmp_path: Path) -> None:
    model = with_head()
    for parameter in model.adapter_runtime.injection.parameters("one"):
        parameter.requires_grad_(False)
    with pytest.warns(GradientWarning, match="the adapter 'one', because it is frozen"):
        trainer(model, tmp_path, **_SETTINGS).train()


def test_a_frozen_one_below_one_that_is_trained_is_meant_so(tmp_path: Path) -> None:
    model = with_head(two="lora")
    model.set_active_adapters(Stack("two", "one"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer(model, tmp_path, **_SETTINGS).train()


def test_skipped_layers_and_channels_without_a_head_are_reasons(tmp_path: Path) -> None:
    model = with_head()
    model.set_active_adapters("one", skip_layers=[0, 1])
    with pytest.warns(GradientWarning, match=r"the layers \[0, 1\] are skipped"):
        trainer(model, tmp_path, **_SETTINGS).train()


def test_the_plain_trainer_takes_it_and_it_warns_at_every_training_once(tmp_path: Path) -> None:
    model = with_head(two="lora")
    _thawed(model, "two")
    run = trainer(model, tmp_path, cls=hf.Trainer, max_steps=9, own={"callbacks": [GradientWatch(steps=2)]})
    for _ in range(2):
        with pytest.warns(GradientWarning, match="in 2 steps: the adapter 'two'") as found:
            run.train()
        assert len([w for w in found if w.category is GradientWarning]) == 1


def test_parallel_adapters_with_heads_all_learn(tmp_path: Path) -> None:
    model = with_head(two="lora")
    model.add_classification_head("two", num_labels=2)
    model.train_adapter(Parallel("one", "two"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer(model, tmp_path, **_SETTINGS).train()
