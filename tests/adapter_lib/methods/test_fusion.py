"""AdapterFusion against its equations, in every setting, and how it is trained and recorded."""

import copy
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor

from adapter_lib import Parallel, Stack
from adapter_lib.spec.composition import Average, Fuse
from adapter_lib.spec.configs import FusionConfig, Place, StaticFusionConfig
from adapter_lib.spec.errors import AttachError, CompositionError, ConfigError, UnknownNameError
from adapter_lib.spec.strings import parse_config
from tests.adapter_lib.blocks.running import at, close, given, hidden, states
from tests.adapter_lib.methods import dense
from tests.adapter_lib.tiny import inputs, prepared

ADAPTERS = {"a": "seq_bn[reduction_factor=4]", "b": "seq_bn[reduction_factor=8]", "c": "lora"}
SETTINGS = [
    "dynamic",
    "static",
    "dynamic[query=false]",
    "dynamic[key=false]",
    "static[query=false, key=false]",
    "dynamic[query_before_ln=true]",
    "dynamic[residual_before=true]",
    "static[residual_before=true]",
    "dynamic[temperature=true]",
    "dynamic[value_initialized=false]",
]


def fused(family: str, config: str, *names: str, auto: type = hf.AutoModel, **adapters: str) -> Any:
    """A model with a fusion of shaken weights, in float64."""
    model = prepared(family, auto, **(adapters or ADAPTERS)).double()
    model.add_adapter_fusion(names or ("a", "b"), config)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for part in parts(model, *names):
            for parameter in part.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model


def parts(model: Any, *names: str) -> list[Any]:
    """The fusion's parameters by place."""
    return list(model.adapter_runtime.injection.block_parts("fuse", ",".join(names or ("a", "b"))).values())


def equation(part: Any, query: Tensor, z: list[Tensor], residual: Tensor) -> tuple[Tensor, Tensor]:
    """(Σ p_i v_i, p) by the paper's equations, with plain products."""
    w, config = dict(part.named_parameters()), part.config
    z = [z_i + residual for z_i in z] if config.residual_before else z
    q = query @ w["query.weight"].T + w["query.bias"] if config.query else query
    k = [z_i @ w["key.weight"].T + w["key.bias"] if config.key else z_i for z_i in z]
    v = [z_i @ w["value.weight"].T if config.value else z_i for z_i in z]
    temperature = 50.0 if config.temperature else 1.0
    p = torch.stack([(q * k_i).sum(-1) for k_i in k], dim=-1).div(temperature).softmax(-1)
    return sum((p[..., i, None] * v_i for i, v_i in enumerate(v)), torch.zeros(())), p


@pytest.mark.parametrize("config", SETTINGS)
def test_every_setting_on_bert(config: str) -> None:
    model = fused("bert", config)
    ids = inputs(2)["input_ids"]
    base = copy.deepcopy(model)
    adapters = {name: base.adapter_runtime.injection.parts(name) for name in "ab"}
    fusion = base.adapter_runtime.injection.block_parts("fuse", "a,b")

    def ffn(layer: int, u: Tensor, x: Tensor, norm: Any) -> Tensor:
        key = (layer, "ffn")
        z = [
            dense.bottleneck(norm(u + x), dict(adapters[name][key].named_parameters()), torch.relu)
            for name in "ab"
        ]
        query = u if fusion[key].config.query_before_ln else norm(u + x)
        total, _ = equation(fusion[key], query, z, u)
        return norm(total + x if fusion[key].config.residual_before else total + u + x)

    with torch.no_grad():
        expected = dense.bert(base, ids, ffn=ffn)
        model.active_adapters = Fuse("a", "b")
        found = model(input_ids=ids).last_hidden_state
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


def test_in_a_pre_norm_model() -> None:
    model = fused("gpt2", "dynamic")
    ids = inputs(2)["input_ids"]
    base = copy.deepcopy(model)
    adapters = {name: base.adapter_runtime.injection.parts(name) for name in "ab"}
    fusion = base.adapter_runtime.injection.block_parts("fuse", "a,b")

    def ffn(layer: int, u: Tensor, x: Tensor, norm: Any) -> Tensor:
        key = (layer, "ffn")
        z = [
            dense.bottleneck(u + x, dict(adapters[name][key].named_parameters()), torch.relu) for name in "ab"
        ]
        return equation(fusion[key], u + x, z, u)[0] + u + x

    with torch.no_grad():
        expected = dense.gpt2(base, ids, ffn=ffn)
        model.active_adapters = Fuse("a", "b")
        found = model(input_ids=ids).last_hidden_state
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


def test_a_child_that_is_not_at_a_place_takes_no_part_there() -> None:
    model = fused("bert", "dynamic", "a", "b", "c")
    places = model.adapter_runtime.injection.block_parts("fuse", "a,b,c")
    assert {role for _, role in places} == {"ffn", "attn.q", "attn.v"}
    for key, state in states(model).items():
        present = "ab" if key[1] == "ffn" else "c"
        children = [at(model, key, name, state) for name in present]
        z = [state.added(child) for child in children]
        total, _ = equation(places[key], state.query(), z, state.residual(children[-1]))
        after = at(model, key, Fuse("a", "b", "c"), state)
        close(state.added(after), total.detach())


def test_a_fresh_dynamic_fusion_mixes_without_changing() -> None:
    model = prepared("bert", a="seq_bn")
    model.add_adapter_fusion(Fuse("a", "a", name="same"))
    close(hidden(model, Fuse("a", "a", name="same")), hidden(model, "a"))
    weight = model.adapter_runtime.injection.block_parts("fuse", "same")[0, "ffn"].value.weight
    assert torch.equal(weight.diagonal(), torch.ones(32))
    assert weight[0, 1].item() == pytest.approx(1e-6)


def test_the_temperature_falls_with_calls_in_training_only() -> None:
    model = fused("bert", "static[temperature=true]")
    model.train_adapter_fusion(Fuse("a", "b"))
    part = parts(model)[0]
    seen = [float(part.temperature())]
    for _ in range(3):
        model(**given())
        seen.append(float(part.temperature()))
    assert seen == pytest.approx([50.0, 50.0, 49.95, 49.9])
    model.eval()
    model(**given())
    assert float(part.temperature()) == pytest.approx(49.9)
    part.calls.fill_(5000)
    assert float(part.temperature()) == 1.0


def test_the_temperature_is_the_same_when_a_layer_is_run_again_and_in_every_copy() -> None:
    model = fused("gpt2", "dynamic[temperature=true]", auto=hf.AutoModelForCausalLM)
    model.train_adapter_fusion(Parallel(Fuse("a", "b"), Stack("c", Fuse("a", "b"))))
    model.activation_checkpointing_enable({"use_reentrant": False})
    for _ in range(2):
        model(**given(), labels=given()["input_ids"]).loss.backward()
    assert [int(part.calls) for part in parts(model)] == [2] * len(parts(model))


def test_the_temperature_is_no_key_of_the_backbone_and_travels_with_copies(tmp_path: Any) -> None:
    model = fused("bert", "static[temperature=true]")
    parts(model)[0].calls.fill_(7)
    assert int(parts(copy.deepcopy(model))[0].calls) == 7
    model.save_pretrained(tmp_path)
    _, report = hf.AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["unexpected_keys"]


def test_regularisation_keeps_value_matrices_near_the_identity() -> None:
    model = fused("bert", "dynamic")
    model.train_adapter_fusion(Fuse("a", "b"))
    expected = sum(0.01 * (torch.eye(32) - part.value.weight).square().sum() for part in parts(model))
    torch.testing.assert_close(model.adapter_regularisation(), expected)
    gradient = torch.autograd.grad(model.adapter_regularisation(), parts(model)[0].value.weight)[0]
    torch.testing.assert_close(
        gradient, -0.02 * (torch.eye(32, dtype=torch.float64) - parts(model)[0].value.weight)
    )
    static = fused("bert", "static")
    static.train_adapter_fusion(Fuse("a", "b"))
    assert static.adapter_regularisation() is None


def test_dropout_acts_on_probabilities_in_training_only() -> None:
    model = fused("bert", "static[dropout_prob=0.5]")
    without = fused("bert", "static")
    close(hidden(model, Fuse("a", "b")), hidden(without, Fuse("a", "b")))
    model.train_adapter_fusion(Fuse("a", "b"))
    for module in model.modules():
        module.p = 0.0  # the backbone's own dropout
    torch.manual_seed(0)
    first, second = (model(**given()).last_hidden_state for _ in range(2))
    assert not torch.allclose(first, second, atol=1e-4)


def test_training_a_fusion_trains_it_and_its_head_alone() -> None:
    model = prepared("bert", a="seq_bn", b="seq_bn")
    model.add_classification_head("a", num_labels=2)
    model.add_adapter_fusion(["a", "b"], "dynamic[temperature=true]")
    model.train_adapter_fusion(Fuse("a", "b"))
    model(**given(), labels=torch.tensor([0, 1, 1, 0])).loss.backward()
    names = {name for name, p in model.named_parameters() if p.grad is not None and bool(p.grad.any())}
    assert names == {name for name, _ in model.named_parameters() if "fuse:" in name or "head:" in name}
    model.train_adapter_fusion(Fuse("a", "b"), unfreeze_adapters=True)
    assert any(p.requires_grad for name, p in model.named_parameters() if "adapter:a" in name)


def test_attentions_are_returned_on_request() -> None:
    model = fused("bert", "dynamic", "a", "b", "c")
    model.active_adapters = Fuse("a", "b", "c")
    found = model(**given(), output_adapter_fusion_attentions=True).adapter_fusion_attentions
    assert set(found) == {"a,b,c"}
    places = found["a,b,c"]
    assert set(places) == {f"layers.{n}.{role}" for n in (0, 1) for role in ("ffn", "attn.q", "attn.v")}
    ffn = places["layers.0.ffn"]
    assert ffn.shape == (4, 7, 3)
    torch.testing.assert_close(ffn.sum(-1), torch.ones(4, 7, dtype=torch.float64))
    assert not ffn[..., 2].any(), "c is not there"
    assert "adapter_fusion_attentions" not in model(**given())


@pytest.mark.parametrize(
    "block", [Fuse("a", Fuse("b", "d", name="x"), name="y"), Stack("d", Fuse("a", "b", name="x"))]
)
def test_fusions_stand_anywhere(block: Any) -> None:
    model = prepared("bert", a="seq_bn", b="par_bn", d="double_seq_bn")
    for node in block.blocks():
        if isinstance(node, Fuse):
            model.add_adapter_fusion(node)
    assert hidden(model, block).isfinite().all()
    twice = hidden(model, Parallel(block, Average(block, block)))
    close(twice, torch.cat([hidden(model, block)] * 2))


def test_errors_say_what_to_do() -> None:
    model = prepared("bert", a="seq_bn", b="seq_bn", k="lora[targets=['pooler.dense']]")
    with pytest.raises(
        UnknownNameError, match=r"never added under the name 'a,b' \(add_adapter_fusion\); there are: none"
    ):
        model.active_adapters = Fuse("a", "b")
    with pytest.raises(UnknownNameError, match="no adapter 'z'"):
        model.add_adapter_fusion(["a", "z"])
    with pytest.raises(CompositionError, match=r"Fuse takes a .*fusion.*, not lora"):
        model.add_adapter_fusion(["a", "b"], "lora")
    with pytest.raises(ConfigError, match="describes a Fuse, which is no adapter: add_adapter_fusion"):
        model.add_adapter("c", "dynamic")
    with pytest.raises(ConfigError, match="cannot be a member of a union"):
        parse_config("lora|dynamic")
    model.add_adapter_fusion(["a", "b"])
    with pytest.raises(AttachError, match="overwrite=True"):
        model.add_adapter_fusion(["a", "b"])
    assert model.add_adapter_fusion(["a", "b"], "static", overwrite=True) == 2
    with pytest.raises(CompositionError, match=r"has 3 children, but .* for 2"):
        model.active_adapters = Fuse("a", "b", "a", name="a,b")
    assert model.active_adapters is None
    model.active_adapters = Fuse("a", "b")
    model.delete_adapter_fusion(["a", "b"])
    assert model.active_adapters is None
    with pytest.raises(UnknownNameError, match="no fuse 'a,b'"):
        model.delete_adapter_fusion("a,b")


def test_a_deleted_adapter_takes_the_block_that_names_it_out_of_action() -> None:
    model = fused("bert", "static")
    model.active_adapters = Fuse("a", "b")
    model.delete_adapter("b")
    assert model.active_adapters is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"value": 1}, "value must be true or false"),
        ({"regularization": -1}, "regularization must be a number from 0 up"),
        ({"regularization": True}, "regularization must be a number from 0 up"),
        ({"value": False}, "regularization must be 0 without a value matrix"),
        ({"dropout_prob": 1.0}, "dropout_prob must be a number from 0"),
        ({"leave_out": (0,)}, "leave_out must be empty"),
        ({"use_gating": True}, "use_gating must be false"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        FusionConfig(**values)


def test_shapes_and_a_key_that_has_no_counterpart() -> None:
    place = Place("attn.q", 0, 8, 4)
    assert StaticFusionConfig().block_shapes(place, 3) == {
        "query.weight": (4, 4),
        "query.bias": (4,),
        "key.weight": (4, 4),
        "key.bias": (4,),
    }
    assert FusionConfig(query=False, key=False, temperature=True).block_shapes(place, 3) == {
        "value.weight": (4, 4),
        "calls": (1,),
    }
    with pytest.raises(ConfigError, match="combines vectors, one per token; patch is of the kind conv"):
        FusionConfig().block_shapes(Place("patch", -1, 3, 8, "conv", (2, 2)), 2)
    with pytest.raises(ConfigError, match="does not take value_before_softmax: Wv has no bias"):
        parse_config("dynamic[value_before_softmax=true]")
