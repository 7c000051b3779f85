"""Configs: validation, JSON there and back, hashes, and what each says about itself."""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from adapter_lib.spec.configs import (
    BnConfig,
    DoubleSeqBnConfig,
    FusionConfig,
    LoRAConfig,
    MethodConfig,
    ParBnConfig,
    PerLayer,
    Place,
    RouteConfig,
    SeqBnConfig,
    StaticFusionConfig,
    UnionConfig,
    canonical_hash,
    config_from_dict,
    config_to_dict,
    known_methods,
    members_of,
    register_config,
    register_ready_config,
)
from adapter_lib.spec.errors import ConfigError

EXAMPLES = [
    LoRAConfig(),
    LoRAConfig(r=2, alpha=3, targets=("down", "q"), rslora=True, leave_out=(1,)),
    SeqBnConfig(),
    DoubleSeqBnConfig(reduction_factor={"0": 4, "default": 8}),
    ParBnConfig(scaling="channel"),
    UnionConfig(configs=(LoRAConfig(r=2), SeqBnConfig(reduction_factor={"0": 4, "default": 8}))),
    UnionConfig(configs=(LoRAConfig(r=2), ParBnConfig()), leave_out=(0,)),
    FusionConfig(temperature=True),
    StaticFusionConfig(),
    RouteConfig(level="example", top_k=1),
    BnConfig(mh_adapter=True, output_adapter=False, reduction_factor=2, non_linearity="tanh", ln_after=True),
]


@pytest.mark.parametrize("config", EXAMPLES, ids=lambda config: config.name())
def test_a_config_survives_its_json_form(config: MethodConfig) -> None:
    again = config_from_dict(config.method, config_to_dict(config))
    assert again == config
    assert hash(again) == hash(config)
    assert again.name() == config.name()


def test_equal_settings_have_equal_hashes_however_they_are_written() -> None:
    written = LoRAConfig(alpha=8, targets=("v", "q"))
    assert canonical_hash(written) == canonical_hash(LoRAConfig(alpha=8.0, targets=("q", "v")))
    spelled_out = BnConfig(**config_to_dict(SeqBnConfig()))
    assert canonical_hash(spelled_out) == canonical_hash(SeqBnConfig())
    assert spelled_out == SeqBnConfig()
    assert len({canonical_hash(config) for config in EXAMPLES}) == len(EXAMPLES)


def test_a_field_that_is_added_with_a_default_changes_no_hash() -> None:
    @dataclass(frozen=True, eq=False, kw_only=True)
    class Later(LoRAConfig):
        method: ClassVar[str] = "lora"
        invented: float = 3.0
        per_layer: tuple[int, ...] = ()

    assert canonical_hash(Later(r=4)) == canonical_hash(LoRAConfig(r=4))
    assert canonical_hash(Later(r=4, invented=2.0)) != canonical_hash(LoRAConfig(r=4))
    within = UnionConfig(configs=(Later(r=4), ParBnConfig()))
    assert canonical_hash(within) == canonical_hash(UnionConfig(configs=(LoRAConfig(r=4), ParBnConfig())))


def test_a_hash_is_pinned() -> None:
    """Of what a file of this format says: it may never change."""
    text = '{"config":{"alpha":16.0,"r":4},"method":"lora"}'
    assert canonical_hash(LoRAConfig(r=4, alpha=16)) == hashlib.sha256(text.encode()).hexdigest()
    text = '{"config":{},"method":"lora"}'
    assert canonical_hash(LoRAConfig()) == hashlib.sha256(text.encode()).hexdigest()


def test_the_method_counts_in_the_hash() -> None:
    @dataclass(frozen=True, eq=False, kw_only=True)
    class Other(LoRAConfig):
        method: ClassVar[str] = "other"

    assert canonical_hash(Other(r=4)) != canonical_hash(LoRAConfig(r=4))


def test_members_of_a_union() -> None:
    inner = UnionConfig(configs=(LoRAConfig(leave_out=(2,)), ParBnConfig()), leave_out=(0,))
    outer = UnionConfig(configs=(inner, {"method": "lora", "config": {"r": 3}}), leave_out=(1,))
    assert members_of(outer) == (
        LoRAConfig(leave_out=(0, 1, 2)),
        ParBnConfig(leave_out=(0, 1)),
        LoRAConfig(r=3, leave_out=(1,)),
    )
    assert members_of(LoRAConfig()) == (LoRAConfig(),)


@pytest.mark.parametrize(
    ("configs", "said"),
    [
        ((), "configs must be a list of configs"),
        ("lora", "configs must be a list of configs"),
        ((3,), "A member of a union is a config or .*, not '3'"),
        (({"method": "lora"},), "A member of a union"),
        (({"method": "lora", "config": {"rank": 1}},), "LoRAConfig has no key 'rank'"),
        ((LoRAConfig(), FusionConfig()), "fusion describes a composition block"),
    ],
)
def test_unions_of_something_else_are_refused(configs: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        UnionConfig(configs=configs)
    with pytest.raises(ConfigError, match="gating is a matter of the members"):
        UnionConfig(configs=(LoRAConfig(),), use_gating=True)


@pytest.mark.parametrize(
    ("config", "name", "roles", "size"),
    [
        (LoRAConfig(r=16, targets=("down", "v")), "lora", ("attn.v", "ffn.down"), 16),
        (SeqBnConfig(reduction_factor=4), "seq_bn", ("ffn",), 4.0),
        (DoubleSeqBnConfig(dropout=0.5), "double_seq_bn", ("mh", "ffn"), 16.0),
        (ParBnConfig(), "par_bn", ("ffn",), 2.0),
        (FusionConfig(), "fusion", (), 3),
        (RouteConfig(top_k=2), "route", (), 2),
        (UnionConfig(configs=(LoRAConfig(), ParBnConfig())), "lora|par_bn", ("attn.q", "attn.v", "ffn"), 8),
        (SeqBnConfig(original_ln_before=False), "bottleneck", ("ffn",), 16.0),
        (SeqBnConfig(reduction_factor={"1": 3}), "seq_bn", ("ffn",), 3.0),
    ],
)
def test_a_config_says_what_it_is(
    config: MethodConfig, name: str, roles: tuple[str, ...], size: float
) -> None:
    assert (config.name(), config.roles(), config.size()) == (name, roles, size)


def test_shapes_follow_the_place() -> None:
    place = Place("ffn.up", 0, 32, 48)
    assert LoRAConfig(r=4).shapes(place) == {"lora_a": (4, 32), "lora_b": (48, 4)}
    site = Place("ffn", 1, 32, 32)
    shapes = SeqBnConfig(reduction_factor={"1": 64, "default": 2}, scaling="channel").shapes(site)
    assert shapes["down.weight"] == (1, 32)
    assert shapes["scaling"] == (32,)


def test_scale_of_lora_and_rslora() -> None:
    assert LoRAConfig(r=16, alpha=8).scale == 0.5
    assert LoRAConfig(r=16, alpha=8, rslora=True).scale == 2.0


def test_leave_out_names_layers_that_exist() -> None:
    assert LoRAConfig(leave_out=[2, 0]).covered_layers(4) == (1, 3)
    with pytest.raises(ConfigError, match="names layer 4, but the backbone has 4"):
        LoRAConfig(leave_out=(4,)).covered_layers(4)


@pytest.mark.parametrize(
    ("method", "values", "said"),
    [
        ("lora", {"rr": 1}, "no key 'rr' \\(did you mean r\\?\\); valid keys: alpha"),
        (
            "bottleneck",
            {"mh_adapter": True},
            "needs a value for non_linearity, output_adapter, reduction_factor",
        ),
        ("nothing", {}, "known are: adalora"),
        ("lora", {"alpha": float("nan")}, "alpha must be a number above 0"),
        ("lora", {"dropout": 1}, "dropout must be a number from 0"),
        ("lora", {"rslora": 1}, "rslora must be true or false"),
        ("lora", {"leave_out": [-1]}, "leave_out must be a list of layer numbers"),
        ("lora", {"targets": []}, "targets must be a list"),
    ],
)
def test_bad_values_are_refused(method: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config_from_dict(method, values)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"output_adapter": False}, "act nowhere"),
        ({"reduction_factor": 0}, "reduction_factor must be a number above 0"),
        ({"reduction_factor": {"x": 1}}, "layer number or 'default'"),
        ({"reduction_factor": {}}, "at least one layer"),
        ({"reduction_factor": {"9" * 5000: 1}}, "layer number or 'default'"),
        ({"reduction_factor": {"1": -1}}, "must be a number above 0"),
        ({"scaling": "huge"}, "scaling must be one of 'learned', 'channel'"),
        ({"residual_before_ln": 1}, "residual_before_ln must be one of True, False, 'post_add'"),
        ({"residual_before_ln": "post_add", "original_ln_before": False}, "unless original_ln_before is set"),
        ({"is_parallel": True}, "has no residual of its own"),
        ({"init_weights": "zeros"}, "init_weights must be one of"),
    ],
)
def test_bottleneck_settings_that_make_no_sense_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SeqBnConfig(**changes)


def test_a_layer_without_a_factor_is_named() -> None:
    with pytest.raises(ConfigError, match="no value for layer 3"):
        PerLayer.parse({"0": 8}).at(3)


def test_a_name_is_registered_once() -> None:
    assert {"bottleneck", "lora", "union", "fusion", "route"} <= set(known_methods())
    with pytest.raises(ConfigError, match="registered already"):
        register_config(LoRAConfig, presets={})
    for taken in ("lora", "mam", "pfeiffer"):
        with pytest.raises(ConfigError, match=f"{taken} is registered already"):
            register_ready_config(taken, LoRAConfig)
