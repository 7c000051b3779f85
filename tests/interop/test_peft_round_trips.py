"""native → PEFT → native: the same config, the same tensors, the same outputs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.formats import peft
from adapter_lib.formats.conversion import parameters_of
from adapter_lib.spec.errors import LoadError
from tests.interop import exports
from tests.interop.exports import FAMILIES, REFUSED, REWRITTEN

_TOLERANCE = 1e-6
# In these families every case, in the others what differs there; `make test-all` runs all.
_ALWAYS = ("bert", "gpt2", "vit", "mixtral")
_ELSEWHERE = ("lora_all", "ia3", "norm_tuning", "prefix_flat", "prompt_tuning", "trainable_tokens")
# Written as another method, or with numbers that take up differing scales: fused maps are one matrix.
_FUSED = {("gpt2", "vera"), ("gpt2", "lora_patterns")}


def _cases() -> Iterator[Any]:
    for family in FAMILIES:
        for name in exports.configs(family):
            is_quick = family in _ALWAYS or name in _ELSEWHERE
            if (family, name) not in REFUSED:
                yield pytest.param(family, name, marks=() if is_quick else pytest.mark.matrix)


@pytest.mark.parametrize(("family", "name"), list(_cases()))
def test_an_adapter_comes_back_from_peft(family: str, name: str, tmp_path: Path) -> None:
    first, second = exports.with_adapter(family, name), exports.prepared(family)
    injection = first.adapter_runtime.injection
    before = {key: value.detach().clone() for key, value in parameters_of(injection, "a").items()}
    exports.exported(first, tmp_path)
    found = peft.read(tmp_path, second.adapter_runtime.injection.atlas)
    if name not in REWRITTEN and (family, name) not in _FUSED:
        assert set(found.tensors) == set(before)
        for key, value in before.items():
            torch.testing.assert_close(found.tensors[key], value, atol=_TOLERANCE, rtol=0)
    case = exports.case_of(family)
    theirs = exports.outputs(exports.attach(second, found), case)
    ours = exports.outputs(first, case)
    for key, value in ours.items():
        assert (value - case.base_outputs()[key]).abs().max() > 0.01
        torch.testing.assert_close(theirs[key], value, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("family", "name"), sorted(REFUSED))
def test_what_peft_does_not_have_there_is_refused(family: str, name: str) -> None:
    with pytest.raises(LoadError, match=REFUSED[family, name]):
        exports.exported(exports.with_adapter(family, name))
