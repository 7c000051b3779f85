"""What AdapterHub's library computes otherwise, or not at all, is refused with the reason."""

from pathlib import Path

import pytest

import adapter_lib
from adapter_lib.spec.configs import (
    BnConfig,
    InvertibleConfig,
    LoRAConfig,
    MethodConfig,
    PrefixTuningConfig,
    SeqBnConfig,
    UnionConfig,
)
from adapter_lib.spec.errors import LoadError
from tests.adapter_lib.formats.adapterhub import folders
from tests.adapter_lib.zoo import MODELS

_CASES: list[tuple[str, str | MethodConfig, str]] = [
    ("bert", LoRAConfig(targets=("re:.*layer.0.*query", "re:.*layer.1.*value")), "one switch for all layers"),
    (
        "bert",
        "lora[targets=[pooler.dense]]",
        r"acts on module\.pooler\.dense, and .* two maps of",
    ),
    ("llama", "lora[targets=[gate]]", "two maps of the feed-forward block only"),
    ("bert", "mtl_lora[r=4, rank_pattern={'v': 2}]", "one rank and one alpha"),
    ("gpt2", "mtl_lora", "an MTL-LoRA on a fused map"),
    ("bert", "loha", r"no method that computes what loha does\. .* to_lora\(\) makes a LoRA"),
    ("bert", "bitfit", "no method that computes what bitfit does"),
    ("bert", "prefix_tuning[shift_positions=true]", "shift_positions has no counterpart"),
    ("bert", "noreft[use_gating=true]", "no gates at a ReFT"),
    ("albert", "double_seq_bn", "gets the block's input for its output"),
    (
        "bert",
        UnionConfig(configs=(SeqBnConfig(), InvertibleConfig(), InvertibleConfig())),
        "beside a bottleneck only, and one",
    ),
    (
        "bert",
        UnionConfig(configs=(SeqBnConfig(), InvertibleConfig(non_linearity="gelu"))),
        "has its bottleneck's non_linearity",
    ),
    (
        "bert",
        UnionConfig(configs=(SeqBnConfig(), InvertibleConfig(inverse=False))),
        "undoes a coupling at this model's head",
    ),
    (
        "bert",
        UnionConfig(configs=(PrefixTuningConfig(prefix_length=2), PrefixTuningConfig(prefix_length=3))),
        "one member of a kind",
    ),
]


@pytest.mark.parametrize(("family", "config", "sentence"), _CASES)
def test_what_has_no_counterpart(
    family: str, config: str | MethodConfig, sentence: str, tmp_path: Path
) -> None:
    model = adapter_lib.init(MODELS["albert"].build()) if family == "albert" else folders.model(family)
    model.add_adapter("a", config)
    with pytest.raises(LoadError, match=sentence):
        model.save_adapter(tmp_path / "there", "a", format="adapterhub")
    assert not (tmp_path / "there").exists()


def test_a_norm_in_front_makes_alberts_adapters_the_same(tmp_path: Path) -> None:
    """N(u + x) does not tell the sub-layer's output from its input."""
    model = adapter_lib.init(MODELS["albert"].build())
    config = BnConfig(
        mh_adapter=True,
        output_adapter=True,
        reduction_factor=4,
        non_linearity="relu",
        original_ln_before=True,
    )
    model.add_adapter("a", config)
    model.save_adapter(tmp_path, "a", format="adapterhub")
    model.load_adapter(tmp_path, name="b")
    assert model.adapter_runtime.injection.configs["b"] == config


def test_gates_over_padding_are_told(tmp_path: Path) -> None:
    """Without padding such gates are the same there; that they differ with it is said."""
    model = folders.model()
    model.add_adapter("a", "seq_bn[use_gating=true]")
    (note,) = model.save_adapter(tmp_path, "a", format="adapterhub").notes
    assert "means over padding too" in note
    model.add_adapter("b", "seq_bn[use_gating=true, gate_over_padding=true]")
    assert model.save_adapter(tmp_path, "b", format="adapterhub").notes == ()
