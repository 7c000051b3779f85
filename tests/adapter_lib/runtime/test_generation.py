"""Generating with a KV cache and with beams: the same tokens as without the cache.

Gates are the exception: each is a mean over the tokens of one call, which are fewer with a cache.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from adapter_lib import AdapterSetup, Parallel
from tests.adapter_lib.contract.methods import METHODS
from tests.adapter_lib.runtime.promises import pairs, prepared
from tests.adapter_lib.zoo import MODELS

GENERATORS = ("gpt2", "llama", "t5", "bart")
NEW = 5


def _generate(model: Any, given: dict[str, Tensor], **settings: Any) -> Tensor:
    found: Tensor = model.generate(
        **given, max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False, **settings
    )
    return found[:, -NEW:]


def _given(family: str) -> dict[str, Tensor]:
    side = "left" if MODELS[family].kind == "decoder" else "right"
    given = MODELS[family].inputs(side=side)
    return {name: given[name] for name in ("input_ids", "attention_mask")}


@pytest.mark.parametrize(("family", "method"), pairs(GENERATORS, "generation"))
def test_the_cache_changes_nothing(family: str, method: str) -> None:
    model = prepared(family, method, head=True, names=("a", "b"))
    if model is None:
        return
    given = _given(family)
    alone = {}
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            alone[name] = _generate(model, given, use_cache=True)
            uncached = _generate(model, given, use_cache=False)
            assert METHODS[method].is_gated or torch.equal(alone[name], uncached)
    with AdapterSetup(model, Parallel("a", "b")):
        assert torch.equal(_generate(model, given), torch.cat([alone["a"], alone["b"]]))


@pytest.mark.parametrize(("family", "method"), pairs(GENERATORS, "beams"))
def test_beams_follow_their_rows(family: str, method: str) -> None:
    model = prepared(family, method, head=True)
    if model is None:
        return
    given = _given(family)
    with AdapterSetup(model, "a"):
        cached = _generate(model, given, num_beams=3)
        uncached = _generate(model, given, num_beams=3, use_cache=False)
    assert cached.shape == (3, NEW)
    assert METHODS[method].is_gated or torch.equal(cached, uncached)
