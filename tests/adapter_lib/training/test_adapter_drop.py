"""AdapterDrop: skipped layers are as if no adapter had been put there; training draws anew in each step."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from adapter_lib import AdapterSetup, Parallel
from adapter_lib.spec.composition import Average
from adapter_lib.spec.errors import AttachError, CompositionError
from adapter_lib.training import AdapterDropCallback
from tests.adapter_lib.blocks.running import FAMILIES, close, given
from tests.adapter_lib.model.test_training import Rows
from tests.adapter_lib.tiny import METHODS, prepared

# These act on no layer: on embeddings, or what all layers see.
_BESIDE_LAYERS = ("trainable_tokens", "prompt", "p_tuning", "_inv", "nice", "glow", "norm_tuning", "bitfit")


def _hidden(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(**given()).last_hidden_state
    return found


@pytest.mark.parametrize("method", [m for m in METHODS if not any(name in m for name in _BESIDE_LAYERS)])
@pytest.mark.parametrize("family", FAMILIES)
def test_skipped_layers_are_layers_without_the_adapter(family: str, method: str) -> None:
    model = prepared(family, one=method)
    model.active_adapters = "one"
    whole = _hidden(model)
    model.set_active_adapters("one", skip_layers=[0])
    skipped = _hidden(model)
    assert not torch.allclose(skipped, whole, atol=1e-4)
    with AdapterSetup(model, "one"):
        assert torch.equal(_hidden(model), whole)
    assert torch.equal(_hidden(model), skipped), "what was skipped before is skipped again"
    with AdapterSetup(model, None):
        base = _hidden(model)
    model.set_active_adapters("one", skip_layers=[0, 1])
    close(_hidden(model), base)
    for (layer, _), part in model.adapter_runtime.injection.parts("one").items():
        if layer == 0:
            for parameter in part.parameters():
                parameter.data.fill_(float("nan"))
    model.set_active_adapters("one", skip_layers=[0])
    assert torch.equal(_hidden(model), skipped), "nothing of the skipped layer is read"


def test_leave_out_does_the_same_for_good() -> None:
    model = prepared("bert", one="seq_bn")
    model.set_active_adapters("one", skip_layers=[0])
    skipped = _hidden(model)
    left_out = prepared("bert", one="seq_bn[leave_out=[0]]")
    parts = left_out.adapter_runtime.injection.parts("one")
    assert {layer for layer, _ in parts} == {1}
    parts[1, "ffn"].load_state_dict(model.adapter_runtime.injection.parts("one")[1, "ffn"].state_dict())
    left_out.active_adapters = "one"
    close(_hidden(left_out), skipped)


def test_blocks_skip_layers_too() -> None:
    model = prepared("gpt2", a="seq_bn", b="lora")
    with AdapterSetup(model, "a", skip_layers=[1]):
        a = _hidden(model)
    with AdapterSetup(model, Parallel("a", Average("a", "b")), skip_layers=[1]):
        found = _hidden(model)
    close(found[:4], a)
    assert model.active_adapters is None


def test_layers_that_do_not_exist_are_refused() -> None:
    model = prepared("bert", one="lora")
    with pytest.raises(CompositionError, match=r"layers from 0 to 1, not \[2\]"):
        model.set_active_adapters("one", skip_layers=[2])
    with pytest.raises(AttachError, match="most must be from 0 to 2 layers, not 3"):
        AdapterDropCallback(model, most=3)


class _Watch(hf.TrainerCallback):
    """Notes which layers are skipped while a step runs and while it does not."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.within: list[int] = []
        self.between: list[int] = []

    def on_pre_optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        self.within.append(len(self.model.adapter_runtime.injection.skipped))

    def on_log(self, *args: Any, **kwargs: Any) -> None:
        self.between.append(len(self.model.adapter_runtime.injection.skipped))


def test_training_draws_layers_anew_each_step(tmp_path: Path) -> None:
    model = prepared("bert", layers=3, one="seq_bn")
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    arguments = hf.TrainingArguments(
        output_dir=str(tmp_path),
        use_cpu=True,
        max_steps=16,
        per_device_train_batch_size=3,
        gradient_accumulation_steps=2,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
    )
    watch, drop = _Watch(model), AdapterDropCallback(model, seed=1)
    hf.Trainer(model=model, args=arguments, train_dataset=Rows(), callbacks=[drop, watch]).train()
    twin = AdapterDropCallback(model, seed=1)
    assert watch.within == [len(twin.draw(step)) for step in range(16)]
    assert set(watch.within) == {0, 1, 2}
    assert set(watch.between) == {0}
    assert model.active_head == "one"
