"""What our methods compute against what `peft` computed with the same numbers, on the same base models.

Every checkpoint of the peer is imported, strictly: a tensor that nobody understands, or a parameter that
nobody fills, is an error. What a compat switch changes is asserted with its number, so that a change on
either side is seen.
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
from safetensors.torch import load_file

import adapter_lib
from adapter_lib.formats import peft
from adapter_lib.formats.conversion import Imported, attach_imported, check_imported
from adapter_lib.points import like_of
from adapter_lib.spec.configs import (
    MethodConfig,
    OFTConfig,
    PrefixTuningConfig,
    TrainableTokensConfig,
    UnionConfig,
    members_of,
)
from adapter_lib.spec.errors import LoadError
from tests.interop.reading import Reference, Tensors, reference, references

TOLERANCE = 1e-5
# An adapter that does less than this could be wrong unseen.
EFFECT = 0.01

# The file's tensors that no adapter of ours has a place for: they go into the base model.
_REPLACED: dict[tuple[str, str], set[str]] = {
    ("bert", "ln_tuning"): {"embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"},
    ("bert", "lora_bias_all"): {"embeddings.LayerNorm.bias", "pooler.dense.bias"},
    ("bert", "lora_modules_to_save"): {"pooler.dense.weight", "pooler.dense.bias"},
    ("llama", "lora_modules_to_save"): {"lm_head.weight"},
}
# Our `experts` means both tensors of an expert: where the peer adapts one, the other gets an update of zero.
_FILLED = {
    (family, "lora_experts_and_qv"): ("layers.0.experts.down.lora_a", "layers.0.experts.down.lora_b")
    for family in ("mixtral", "qwen2-moe")
}
# What no adapter of ours computes.
_REFUSED = {
    ("gpt2", "fourierft"): "one matrix to PEFT",  # a spectrum of the fused q, k and v
    ("mixtral", "lora_all_linear"): "MixtralTopKRouter",  # a router that is a bare parameter
}
# The peer retrains the rows of a tied head too: `tied_head`.
_TIED = {("gpt2", "lora_tokens"), ("gpt2", "trainable_tokens")}
# The peer's prefix takes positions, the tokens' begin behind it: `shift_positions`. What is between with and
# without.
_PREFIXES = {
    (family, case): bounds
    for family, bounds in {"bert": (0.5, 2), "gpt2": (0.5, 2), "llama": (0.3, 2), "t5": (0.02, 0.1)}.items()
    for case in ("prefix_tuning", "prefix_tuning_projection")
}


@cache
def _base(folder: Path) -> Any:
    """The base model in float32, in the class that its config names."""
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"][0]
    return getattr(transformers, kind).from_pretrained(folder, attn_implementation="eager").eval()


def _prepared(case: Reference) -> Any:
    return adapter_lib.init(copy.deepcopy(_base(case.base)))


def _attach(model: Any, found: Imported) -> None:
    runtime = model.adapter_runtime
    problems = check_imported(found, runtime.injection.atlas, Path("theirs"), strict=True)
    attach_imported(found, runtime.injection, runtime.heads, "theirs", like_of(model), problems)
    model.set_active_adapters("theirs")


def _with_adapter(case: Reference, found: Imported, model: Any) -> Any:
    """The model with the imported adapter, in the precision that the peer ran in."""
    _attach(model, found)
    return model.to(getattr(torch, case.entry["precision"]))


def _read(case: Reference, model: Any) -> Imported:
    return peft.read(case.adapter, model.adapter_runtime.injection.atlas)


def _imported(case: Reference) -> tuple[Any, Imported]:
    model = _prepared(case)
    found = _read(case, model)
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
    if (case.family, case.case) not in _REFUSED
]


@pytest.mark.parametrize("case", _AGREEING)
def test_computes_what_the_peer_computed(case: Reference) -> None:
    assert case.reload_difference == pytest.approx(0, abs=TOLERANCE)
    key = (case.family, case.case)
    model, found = _imported(case)
    assert set(found.replaced) == _REPLACED.get(key, set())
    assert found.filled == _FILLED.get(key, ())
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
    assert known >= {*_REFUSED, *_TIED, *_PREFIXES, *_REPLACED, *_FILLED}


@pytest.mark.parametrize(("family", "name"), _REFUSED)
def test_refuses_what_no_method_here_computes(family: str, name: str) -> None:
    case = reference("peft", family, name)
    with pytest.raises(LoadError, match=_REFUSED[family, name]):
        _imported(case)


def _changed(found: Imported, kind: type[MethodConfig], **values: Any) -> MethodConfig:
    """The config with other values of its member of a kind."""
    members = tuple(replace(m, **values) if isinstance(m, kind) else m for m in members_of(found.config))
    return members[0] if len(members) == 1 else UnionConfig(configs=members)


@pytest.mark.parametrize(("family", "name"), sorted(_TIED))
def test_a_head_keeps_the_bases_numbers_unless_it_is_told_to_follow(family: str, name: str) -> None:
    case = reference("peft", family, name)
    follows = _read(case, _prepared(case))
    (member,) = [m for m in members_of(follows.config) if isinstance(m, TrainableTokensConfig)]
    assert member.tied_head
    other = _prepared(case)
    own = {key: value for key, value in follows.tensors.items() if not key.startswith("shared.")}
    (delta,) = [value for key, value in follows.tensors.items() if key.startswith("shared.")]
    number = "1." if len(members_of(follows.config)) > 1 else ""
    keeps = replace(
        follows,
        config=_changed(follows, TrainableTokensConfig, tied_head=False),
        tensors={**own, f"decoder.tokens.{number}delta": delta},
    )
    ours = _run(_with_adapter(case, keeps, other), case, "plain")["logits"]
    theirs = case.outputs()["logits"]
    assert _deviation({"logits": ours}, {"logits": theirs}) > 0.1
    rest = [token for token in range(theirs.shape[-1]) if token not in member.token_indices]
    assert _deviation({"logits": ours[..., rest]}, {"logits": theirs[..., rest]}) <= TOLERANCE


@pytest.mark.parametrize(("family", "name"), _PREFIXES)
def test_a_prefix_takes_no_positions_unless_it_is_told_to(family: str, name: str) -> None:
    case = reference("peft", family, name)
    model = _prepared(case)
    found = _read(case, model)
    assert isinstance(found.config, PrefixTuningConfig)
    assert found.config.shift_positions
    unshifted = replace(found, config=_changed(found, PrefixTuningConfig, shift_positions=False))
    _with_adapter(case, unshifted, model)
    lowest, highest = _PREFIXES[family, name]
    for variant in case.variants:
        assert lowest < _deviation(_run(model, case, variant), case.outputs(variant)) < highest


def test_a_series_is_not_the_inverse() -> None:
    """The peer's default takes four terms of (I - Q)⁻¹: with the inverse itself the numbers are others."""
    case = reference("peft", "bert", "oft_block_size")
    model = _prepared(case)
    found = _read(case, model)
    assert isinstance(found.config, OFTConfig)
    assert found.config.neumann_terms == 4
    exact = replace(found, config=replace(found.config, neumann_terms=0))
    ours = _run(_with_adapter(case, exact, model), case, "plain")
    assert 1e-4 < _deviation(ours, case.outputs()) < 1e-1


def test_one_butterfly_factor_is_all_that_the_peer_makes() -> None:
    """Without its CUDA kernel it ignores `boft_n_butterfly_factor`; the file tells how many there are."""
    case = reference("peft", "bert", "boft_butterfly")
    assert case.config()["boft_n_butterfly_factor"] == 2
    tensors = load_file(str(case.adapter / "adapter_model.safetensors"))
    assert {len(value) for key, value in tensors.items() if key.endswith("boft_R")} == {1}


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
    config: Any = _read(case, _prepared(case)).config
    assert (config.targets, config.leave_out) == (targets, leave_out)


_MERGED = (
    "adalora", "boft", "dora_ffn", "fourierft", "hra", "ia3", "ln_tuning", "loha", "lokr", "lora_qv", "oft",
    "oft_constrained", "pissa", "vera",
)  # fmt: skip


@pytest.mark.parametrize("name", _MERGED)
def test_merged_weights_compute_what_the_peer_computed(name: str) -> None:
    case = reference("peft", "llama", name)
    model, _ = _imported(case)
    model.merge_adapter("theirs")
    assert _deviation(_run(model, case, "plain"), case.outputs()) <= TOLERANCE


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("bert", "oft"),
        ("gpt2", "lora_up_bias"),
        ("gpt2", "prefix_tuning"),
        ("gpt2", "trainable_tokens"),
        ("llama", "vera"),
        ("t5", "lora_tokens"),
        ("t5", "pissa"),
        ("t5", "prefix_tuning"),
    ],
)
def test_an_imported_adapter_is_saved_and_loaded_as_any_other(family: str, name: str, tmp_path: Path) -> None:
    case = reference("peft", family, name)
    first, second = _prepared(case), _prepared(case)
    _attach(first, _read(case, first))
    first.save_adapter(tmp_path, "theirs")
    second.load_adapter(tmp_path, name="theirs")
    second.set_active_adapters("theirs")
    assert _deviation(_run(second.double(), case, "plain"), case.outputs()) <= TOLERANCE
