"""Porting refuses what it does not understand whole."""

from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from adapter_lib.spec.configs import ParBnConfig, SeqBnConfig
from tests.interop import ours
from tests.interop.porting import PortingError, port_adapter
from tests.interop.porting.fusion import fusion_config
from tests.interop.reading import Reference, Tensors, reference


def _files(case: str, family: str = "bert") -> tuple[Reference, dict[str, Any], Tensors]:
    found = reference("adapters", family, case)
    return found, found.config(), load_file(str(found.adapter / "adapter.safetensors"))


def _port(found: Reference, document: dict[str, Any], tensors: Tensors) -> Any:
    return port_adapter(document, tensors, ours.backbone(found.family, ours.base_model(found.base)))


@pytest.mark.parametrize(
    "case", ["seq_bn", "compacter", "lora_qv", "ia3", "prefix_tuning", "loreft", "unipelt"]
)
def test_a_tensor_too_many(case: str) -> None:
    found, document, tensors = _files(case)
    tensors["bert.encoder.layer.9.output.dense.weight"] = torch.zeros(2)
    with pytest.raises(PortingError, match=r"without a place: bert\.encoder\.layer\.9"):
        _port(found, document, tensors)


@pytest.mark.parametrize("case", ["lora_qv", "ia3", "prefix_tuning_flat", "loreft", "vera"])
def test_a_tensor_too_few(case: str) -> None:
    found, document, tensors = _files(case)
    first = next(
        key for key in sorted(tensors, reverse=True) if ".pool." not in key and ".units.1." not in key
    )
    del tensors[first]
    with pytest.raises(PortingError, match="has no tensor"):
        _port(found, document, tensors)


def test_a_config_of_another_adapter() -> None:
    """The config covers queries and values; the file has keys too."""
    found, _, tensors = _files("lora_all")
    _, document, _ = _files("lora_qv")
    document["name"] = "lora_all"
    with pytest.raises(PortingError, match=r"without a place: .*key\.loras"):
        _port(found, document, tensors)


def test_a_pool_that_contradicts_itself() -> None:
    found, document, tensors = _files("prefix_tuning")
    copy = next(key for key in tensors if ".pool." in key)
    tensors[copy] = tensors[copy] + 1
    with pytest.raises(PortingError, match="something else"):
        _port(found, document, tensors)


def test_an_unknown_architecture() -> None:
    found, document, tensors = _files("seq_bn")
    document["config"]["architecture"] = "something_new"
    with pytest.raises(PortingError, match="no method of ours for the architecture 'something_new'"):
        _port(found, document, tensors)


def test_the_last_child_of_a_fusion_rules() -> None:
    given = {
        "query": True,
        "key": True,
        "value": True,
        "query_before_ln": False,
        "residual_before": False,
        "temperature": False,
        "value_initialized": True,
        "regularization": True,
        "dropout_prob": None,
    }
    assert not fusion_config(given, SeqBnConfig()).query_before_ln
    assert fusion_config(given, SeqBnConfig(original_ln_before=False)).query_before_ln
    with pytest.raises(PortingError, match="last child is parallel"):
        fusion_config(given, ParBnConfig())
