"""Generating text with a KV cache while adapters act."""

import pytest
import torch
import transformers as hf
from torch import Tensor

from adapter_lib import AdapterSetup, Parallel, Stack
from tests.adapter_lib.tiny import DECODERS, inputs, prepared

pytestmark = pytest.mark.parametrize("family", DECODERS)
GIVEN = inputs(side="left")


def _generate(model: hf.PreTrainedModel, **settings: object) -> Tensor:
    found = model.generate(**GIVEN, max_new_tokens=6, do_sample=False, **settings)
    assert isinstance(found, Tensor)
    return found


def test_the_cache_changes_nothing(family: str) -> None:
    model = prepared(family, hf.AutoModelForCausalLM, a="lora[r=4]", b="double_seq_bn")
    for composition in ("a", "b", Stack("a", "b")):
        with AdapterSetup(model, composition):
            assert torch.equal(_generate(model, use_cache=True), _generate(model, use_cache=False))
    with AdapterSetup(model, "a"):
        adapted = _generate(model)
    assert not torch.equal(adapted, _generate(model))


def test_parallel_generates_for_every_channel(family: str) -> None:
    model = prepared(family, hf.AutoModelForCausalLM, a="lora[r=4]", b="seq_bn")
    alone = []
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            alone.append(_generate(model))
    with AdapterSetup(model, Parallel("a", "b")):
        assert torch.equal(_generate(model), torch.cat(alone))
        assert torch.equal(_generate(model, num_beams=1), torch.cat(alone))
        assert model(**GIVEN).logits.shape[0] == 6


def test_beams_are_the_models_own_matter(family: str) -> None:
    model = prepared(family, hf.AutoModelForCausalLM, a="lora[r=4]", b="seq_bn")
    alone = []
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            alone.append(_generate(model, num_beams=2, min_new_tokens=6))
    with AdapterSetup(model, Parallel("a", "b")):
        assert _generate(model, num_beams=2, min_new_tokens=6).shape == torch.cat(alone).shape


def test_the_loss_of_a_language_model_is_the_mean_over_channels(family: str) -> None:
    model = prepared(family, hf.AutoModelForCausalLM, a="lora[r=4]", b="seq_bn")
    losses = []
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            losses.append(model(**GIVEN, labels=GIVEN["input_ids"]).loss)
    with AdapterSetup(model, Parallel("a", "b")):
        together = model(**GIVEN, labels=GIVEN["input_ids"]).loss
    torch.testing.assert_close(together, (losses[0] + losses[1]) / 2, atol=1e-5, rtol=0)
