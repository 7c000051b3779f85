"""What our methods compute against what `peft` computed with the same numbers, on the same base models.

Every checkpoint of the peer is ported to a config and tensors of ours, strictly: a tensor that nobody
understands, or a parameter that nobody fills, is an error. Where the two sides do not agree, the difference
itself is asserted, so that a change on either side is seen.
"""

import copy
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

import adapter_lib
from adapter_lib.spec.configs import OFTConfig, TrainableTokensConfig, members_of
from tests.interop.porting_peft import Checkpoint, NotPortableError, Ported, attach, port
from tests.interop.reading import Reference, Tensors, reference, references

TOLERANCE = 1e-5
# An adapter that does less than this could be wrong unseen.
EFFECT = 0.01

# The file's tensors that no adapter of ours has a place for; the test writes them into the base model.
_BACKBONE: dict[tuple[str, str], set[str]] = {
    ("bert", "ln_tuning"): {"embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"},
    ("bert", "lora_bias_all"): {"embeddings.LayerNorm.bias", "pooler.dense.bias"},
    ("bert", "lora_modules_to_save"): {"pooler.dense.weight", "pooler.dense.bias"},
    ("llama", "lora_modules_to_save"): {"lm_head.weight"},
}
# Our `experts` means both tensors of an expert: where the peer adapts one, the other gets an update of zero.
_FILLED = {
    (family, "lora_experts_and_qv"): frozenset({(0, "experts.down")}) for family in ("mixtral", "qwen2-moe")
}
# What no adapter of ours computes.
_NOT_PORTABLE = {
    ("gpt2", "fourierft"): "one matrix to the peer",  # a spectrum of the fused q, k and v
    ("mixtral", "lora_all_linear"): "MixtralTopKRouter",  # a router that is a bare parameter
}
# The peer retrains the rows of a tied head too.
_TIED = {("gpt2", "lora_tokens"), ("gpt2", "trainable_tokens")}
# The peer's prefix takes positions: the tokens' begin behind it. (lowest, highest) deviation without.
_PREFIXES = {
    (family, case): bounds
    for family, bounds in {"bert": (0.5, 2), "gpt2": (0.5, 2), "llama": (0.3, 2), "t5": (0.02, 0.1)}.items()
    for case in ("prefix_tuning", "prefix_tuning_projection")
}
_APART = set(_NOT_PORTABLE) | _TIED | set(_PREFIXES)


@cache
def _base(folder: Path) -> Any:
    """The base model in float32, in the class that its config names."""
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"][0]
    return getattr(transformers, kind).from_pretrained(folder, attn_implementation="eager").eval()


def _prepared(case: Reference) -> Any:
    return adapter_lib.init(copy.deepcopy(_base(case.base)))


def _with_adapter(case: Reference, found: Ported, model: Any) -> Any:
    """The model with the ported adapter, in the precision that the peer ran in."""
    attach(model, "theirs", found)
    return model.to(getattr(torch, case.entry["precision"]))


def _ported(case: Reference) -> tuple[Any, Ported]:
    model = _prepared(case)
    found = port(case.adapter, model.adapter_runtime.injection.atlas)
    return _with_adapter(case, found, model), found


def _run(model: Any, case: Reference, variant: str, **more: Any) -> Tensors:
    kind = getattr(torch, case.entry["precision"])
    given = {k: v.to(kind) if v.is_floating_point() else v for k, v in case.inputs(variant).items()}
    with torch.no_grad():
        output = model(**given, **more)
    return {name: output[name] for name in case.outputs(variant)}


def _deviation(ours: Tensors, theirs: Tensors) -> float:
    """The largest difference, relative to the outputs' scale where that is above 1.

    The peer gives an output for every token of a prompt too, in front of those that ours gives.
    """
    worst = 0.0
    for name, value in theirs.items():
        own = ours[name]
        wanted = (value[:, -own.shape[1] :] if value.dim() > 2 else value).to(own.dtype)
        assert own.shape == wanted.shape
        # A comparison with NaN is false, so `max` would pass it over.
        assert own.isfinite().all()
        assert wanted.isfinite().all()
        worst = max(worst, float((own - wanted).abs().max()) / max(1.0, float(wanted.abs().max())))
    return worst


_AGREEING = [
    pytest.param(case, id=f"{case.family}-{case.case}")
    for case in references("peft")
    if (case.family, case.case) not in _APART
]


@pytest.mark.parametrize("case", _AGREEING)
def test_computes_what_the_peer_computed(case: Reference) -> None:
    assert case.reload_difference == pytest.approx(0, abs=TOLERANCE)
    key = (case.family, case.case)
    model, found = _ported(case)
    assert set(found.backbone) == _BACKBONE.get(key, set())
    assert found.filled == _FILLED.get(key, frozenset())
    for variant in case.variants:
        ours = _run(model, case, variant)
        assert _deviation(ours, case.outputs(variant)) <= TOLERANCE
        assert _deviation(ours, case.base_outputs(variant)) >= EFFECT


@pytest.mark.parametrize(
    "case", [next(references("peft", family=f)) for f in ("bert", "gpt2", "llama", "t5")]
)
def test_the_base_models_agree(case: Reference) -> None:
    assert _deviation(_run(_prepared(case).double(), case, "plain"), case.base_outputs()) <= TOLERANCE


def test_a_number_that_is_none_is_no_agreement() -> None:
    theirs = {"logits": torch.zeros(1, 2, 3)}
    assert _deviation(theirs, theirs) == 0
    with pytest.raises(AssertionError):
        _deviation({"logits": torch.full((1, 2, 3), float("nan"))}, theirs)


def test_every_case_is_known() -> None:
    known = {(case.family, case.case) for case in references("peft")}
    assert known >= _APART | set(_BACKBONE) | set(_FILLED)


@pytest.mark.parametrize(("family", "name"), _NOT_PORTABLE)
def test_refuses_what_no_method_here_computes(family: str, name: str) -> None:
    case = reference("peft", family, name)
    with pytest.raises(NotPortableError, match=_NOT_PORTABLE[family, name]):
        _ported(case)


@pytest.mark.parametrize(("family", "name"), sorted(_TIED))
def test_a_tied_head_keeps_the_bases_numbers(family: str, name: str) -> None:
    """The peer's logits of the retrained tokens are h · (E + Δ), ours h · E; all others are the same."""
    case = reference("peft", family, name)
    model, found = _ported(case)
    tokens = next(m for m in members_of(found.config) if isinstance(m, TrainableTokensConfig)).token_indices
    (delta,) = [value for key, value in found.tensors.items() if key.endswith("delta")]
    states: list[Tensor] = []
    model.lm_head.register_forward_pre_hook(lambda _, args: states.append(args[0]))
    ours = _run(model, case, "plain")["logits"]
    assert _deviation({"logits": ours}, case.outputs()) > 0.1
    ours[..., list(tokens)] += states[0] @ delta.double().t()
    assert _deviation({"logits": ours}, case.outputs()) <= TOLERANCE


@pytest.mark.parametrize(("family", "name"), _PREFIXES)
def test_a_prefix_takes_no_positions(family: str, name: str) -> None:
    """Told the positions that the peer counts, ours gives its numbers.

    T5 has no positions to be told: the peer adds the bias of a distance to a prefix's scores, ours none.
    """
    case = reference("peft", family, name)
    model, _ = _ported(case)
    lowest, highest = _PREFIXES[family, name]
    length = Checkpoint.read(case.adapter).config["num_virtual_tokens"]
    for variant in case.variants:
        theirs = case.outputs(variant)
        assert lowest < _deviation(_run(model, case, variant), theirs) < highest
        if family != "t5":
            tokens = case.inputs(variant)["input_ids"].shape[1]
            positions = torch.arange(length, length + tokens)[None]
            assert _deviation(_run(model, case, variant, position_ids=positions), theirs) <= TOLERANCE


def test_a_series_is_not_the_inverse() -> None:
    """The peer's default takes four terms of (I - Q)⁻¹: with the inverse itself the numbers are others."""
    case = reference("peft", "bert", "oft_block_size")
    model = _prepared(case)
    found = port(case.adapter, model.adapter_runtime.injection.atlas)
    assert isinstance(found.config, OFTConfig)
    assert found.config.neumann_terms == 4
    exact = replace(found, config=replace(found.config, neumann_terms=0))
    ours = _run(_with_adapter(case, exact, model), case, "plain")
    assert 1e-4 < _deviation(ours, case.outputs()) < 1e-1


def test_one_butterfly_factor_is_all_that_the_peer_makes() -> None:
    """Without its CUDA kernel it ignores `boft_n_butterfly_factor`; the file tells how many there are."""
    checkpoint = Checkpoint.read(reference("peft", "bert", "boft_butterfly").adapter)
    assert checkpoint.config["boft_n_butterfly_factor"] == 2
    (path, *_) = checkpoint.paths("boft_R")
    assert len(checkpoint.take(path, "boft_R")) == 1


@pytest.mark.parametrize(
    ("family", "name", "targets", "leave_out"),
    [
        ("bert", "lora_qv", ("q", "v"), ()),
        ("bert", "lora_layer", ("q", "v"), (0,)),
        ("bert", "lora_all_linear", ("q", "k", "v", "o", "up", "down", "pooler.dense"), ()),
        ("gpt2", "lora_qv", ("q", "k", "v"), ()),
        ("gpt2", "lora_embedding", ("wte",), ()),
        ("t5", "lora_layer", ("q", "v"), (0, 2)),
        ("mixtral", "lora_experts_and_qv", ("q", "v", "experts"), ()),
        ("vit", "lora_conv", ("q", "embeddings.patch_embeddings.projection"), ()),
    ],
)
def test_module_names_become_roles(
    family: str, name: str, targets: tuple[str, ...], leave_out: tuple[int, ...]
) -> None:
    case = reference("peft", family, name)
    config: Any = port(case.adapter, _prepared(case).adapter_runtime.injection.atlas).config
    assert (config.targets, config.leave_out) == (targets, leave_out)


_MERGED = (
    "adalora", "boft", "dora_ffn", "fourierft", "hra", "ia3", "ln_tuning", "loha", "lokr", "lora_qv", "oft",
    "oft_constrained", "pissa", "vera",
)  # fmt: skip


@pytest.mark.parametrize("name", _MERGED)
def test_merged_weights_compute_what_the_peer_computed(name: str) -> None:
    case = reference("peft", "llama", name)
    model, _ = _ported(case)
    model.merge_adapter("theirs")
    assert _deviation(_run(model, case, "plain"), case.outputs()) <= TOLERANCE


@pytest.mark.parametrize(
    ("family", "name"),
    [("bert", "oft"), ("gpt2", "lora_up_bias"), ("llama", "vera"), ("t5", "lora_tokens"), ("t5", "pissa")],
)
def test_a_ported_adapter_is_saved_and_loaded_as_any_other(family: str, name: str, tmp_path: Path) -> None:
    case = reference("peft", family, name)
    first, second = _prepared(case), _prepared(case)
    attach(first, "theirs", port(case.adapter, first.adapter_runtime.injection.atlas))
    first.save_adapter(tmp_path, "theirs")
    second.load_adapter(tmp_path, name="theirs")
    second.set_active_adapters("theirs")
    assert _deviation(_run(second.double(), case, "plain"), case.outputs()) <= TOLERANCE


def _rewritten(case: Reference, folder: Path, tensors: Tensors, **config: Any) -> Path:
    """A copy of a case's checkpoint with other tensors and another config."""
    stored = load_file(str(case.adapter / "adapter_model.safetensors"))
    save_file({**stored, **tensors}, str(folder / "adapter_model.safetensors"))
    (folder / "adapter_config.json").write_text(json.dumps(case.config() | config), encoding="utf-8")
    return folder


_QUERY = "base_model.model.encoder.layer.0.attention.self.query"


@pytest.mark.parametrize(
    ("name", "tensors", "config", "sentence"),
    [
        ("lora_qv", {f"{_QUERY}.lora_C.weight": torch.zeros(1)}, {}, r"understood .*query\.lora_C\.weight"),
        ("lora_qv", {f"{_QUERY}.lora_A.weight": torch.zeros(4, 31)}, {}, r"shape \[4, 31\]"),
        ("lora_qv", {}, {"peft_type": "MISS"}, "kind MISS"),
        ("boft", {f"{_QUERY}.boft_R": torch.zeros(2, 8, 4, 4)}, {}, "2 butterfly factors"),
        ("oft", {}, {"num_cayley_neumann_terms": 2}, "2 terms"),
        ("prefix_tuning", {"prompt_embeddings": torch.zeros(3, 96)}, {}, "does not fit 2 attentions"),
    ],
)
def test_refuses_what_it_does_not_understand(
    name: str, tensors: Tensors, config: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    case = reference("peft", "bert", name)
    model, folder = _prepared(case), _rewritten(case, tmp_path, tensors, **config)
    with pytest.raises(NotPortableError, match=sentence):
        attach(model, "theirs", port(folder, model.adapter_runtime.injection.atlas))


def test_factors_of_an_attentions_output_need_a_value_per_head(tmp_path: Path) -> None:
    """Where two heads share a value, no factor of values is one of what the output projection gets."""
    case = reference("peft", "llama", "ia3")
    extra = {"base_model.model.model.layers.0.self_attn.o_proj.ia3_l": torch.ones(1, 32)}
    folder = _rewritten(case, tmp_path, extra)
    with pytest.raises(NotPortableError, match="input of layers\\.0\\.attn\\.o"):
        port(folder, _prepared(case).adapter_runtime.injection.atlas)
