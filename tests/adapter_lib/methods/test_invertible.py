"""Invertible adapters: bijections at the embeddings, undone in front of the head; recomputed in float64."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor
from torch.nn import functional as F

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.spec.composition import BatchSplit
from adapter_lib.spec.configs import InvertibleConfig, Place, SeqBnInvConfig, config_from_dict
from adapter_lib.spec.errors import ConfigError, FamilyError
from tests.adapter_lib.methods import dense
from tests.adapter_lib.tiny import WIDTH, build, inputs, prepared, shake
from tests.adapter_lib.zoo import MODELS

LM = {"bert": hf.AutoModelForMaskedLM, "gpt2": hf.AutoModelForCausalLM}
COUPLINGS = ("nice", "glow")
IDS = inputs()["input_ids"]
Map = Callable[[Tensor], Tensor]


def _model(family: str, **adapters: str) -> Any:
    model = adapter_lib.init(build(family, LM[family]).double())
    for name, config in adapters.items():
        model.add_adapter(name, config)
        shake(model, name)
    return model


def _coupling(model: Any, name: str = "one") -> Any:
    (found,) = (
        part for part in model.adapter_runtime.injection.shared_parts(name).values() if hasattr(part, "f")
    )
    return found


def _maps(model: Any, name: str = "one") -> tuple[Map, Map]:
    """(forward, inverse) written out, from the adapter's tensors."""
    coupling = _coupling(model, name)
    w = {k: v.detach() for k, v in coupling.named_parameters()}
    act = {"relu": torch.relu, "swish": F.silu}[coupling.config.non_linearity]

    def net(letter: str, x: Tensor) -> Tensor:
        inner = act(x @ w[f"{letter}.0.weight"].T + w[f"{letter}.0.bias"])
        return inner @ w[f"{letter}.2.weight"].T + w[f"{letter}.2.bias"]

    def scale_and_shift(letter: str, x: Tensor) -> tuple[Tensor, Tensor]:
        out = net(letter, x)
        if coupling.config.coupling == "nice":
            return torch.ones_like(out), out
        s, t = out[..., : out.shape[-1] // 2], out[..., out.shape[-1] // 2 :]
        return torch.exp(0.636 * 5 * torch.atan(s / 5)), t

    def forward(x: Tensor) -> Tensor:
        x1, x2 = x[..., : WIDTH // 2], x[..., WIDTH // 2 :]
        e2, t2 = scale_and_shift("f", x2)
        y1 = x1 * e2 + t2
        e1, t1 = scale_and_shift("g", y1)
        return torch.cat([y1, x2 * e1 + t1], dim=-1)

    def inverse(y: Tensor) -> Tensor:
        y1, y2 = y[..., : WIDTH // 2], y[..., WIDTH // 2 :]
        e1, t1 = scale_and_shift("g", y1)
        x2 = (y2 - t1) / e1
        e2, t2 = scale_and_shift("f", x2)
        return torch.cat([(y1 - t2) / e2, x2], dim=-1)

    return forward, inverse


def _logits(model: Any, family: str, forward: Map, inverse: Map) -> Tensor:
    """What the language model gives with these maps at both its ends."""
    with torch.no_grad():
        if family == "bert":
            base = model.bert
            shell = SimpleNamespace(
                embeddings=lambda ids: forward(base.embeddings(ids)), encoder=base.encoder
            )
            head = model.cls.predictions
            found: Tensor = head.decoder(inverse(head.transform(dense.bert(shell, IDS))))
        else:
            base = model.transformer
            positions = base.wpe(torch.arange(IDS.shape[1]))
            shell = SimpleNamespace(
                wte=lambda ids: forward(base.wte(ids) + positions),
                wpe=lambda _: 0.0,
                h=base.h,
                ln_f=base.ln_f,
            )
            found = model.lm_head(inverse(dense.gpt2(shell, IDS)))
    return found


def _found(model: Any, composition: Any = "one", ids: Tensor = IDS) -> Tensor:
    with torch.no_grad(), AdapterSetup(model, composition):
        found: Tensor = model(ids).logits
    return found


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_the_inverse_inverts(coupling: str) -> None:
    part = _coupling(_model("bert", one=f"{coupling}[reduction_factor=0.5]"))
    x = torch.randn(5, 7, WIDTH, dtype=torch.float64) * 3
    with torch.no_grad():
        y = part(x)
        torch.testing.assert_close(part.inverse(y), x, atol=1e-12, rtol=1e-12)
        torch.testing.assert_close(part(part.inverse(x)), x, atol=1e-12, rtol=1e-12)
    moved = (y - x).abs().amax((0, 1))
    assert bool((moved > 1e-3).all()), "both halves are changed"


def test_the_scale_of_glow_is_bounded() -> None:
    part = _coupling(_model("bert", one="glow"))
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.mul_(1e6)
        y = part(torch.ones(1, WIDTH, dtype=torch.float64))
    assert bool(y.isfinite().all())
    bound = math.exp(0.636 * 5 * math.pi / 2)
    s, t = part._network("f", torch.ones(1, WIDTH // 2, dtype=torch.float64)).chunk(2, dim=-1)
    assert bool((((y[:, : WIDTH // 2] - t).abs() <= bound * (1 + 1e-6)) | (s.abs() < 1)).all())


@pytest.mark.parametrize("family", LM)
@pytest.mark.parametrize("config", ["nice", "glow", "nice[reduction_factor=0.5, non_linearity=swish]"])
def test_both_ends_of_a_language_model(family: str, config: str) -> None:
    model = _model(family, one=config)
    expected = _logits(model, family, *_maps(model))
    torch.testing.assert_close(_found(model), expected, atol=1e-10, rtol=0)
    plain = _logits(model, family, lambda x: x, lambda x: x)
    torch.testing.assert_close(_found(model, None), plain, atol=1e-10, rtol=0)
    assert (expected - plain).abs().max() > 1e-3


@pytest.mark.parametrize("family", LM)
def test_the_head_may_be_left_alone(family: str) -> None:
    model = _model(family, one="nice[inverse=false]")
    expected = _logits(model, family, _maps(model)[0], lambda x: x)
    torch.testing.assert_close(_found(model), expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", LM)
def test_a_stack_is_undone_in_reverse_order(family: str) -> None:
    model = _model(family, a="nice", b="glow", c="nice|glow")
    (to_a, from_a), (to_b, from_b) = _maps(model, "a"), _maps(model, "b")
    expected = _logits(model, family, lambda x: to_b(to_a(x)), lambda y: from_a(from_b(y)))
    torch.testing.assert_close(_found(model, Stack("a", "b")), expected, atol=1e-10, rtol=0)
    wrong = _logits(model, family, lambda x: to_b(to_a(x)), lambda y: from_b(from_a(y)))
    assert (expected - wrong).abs().max() > 1e-3

    nested = Stack(Stack("a", "b"), "a")
    expected = _logits(model, family, lambda x: to_a(to_b(to_a(x))), lambda y: from_a(from_b(from_a(y))))
    torch.testing.assert_close(_found(model, nested), expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", LM)
def test_what_a_union_does_is_undone_in_reverse_order(family: str) -> None:
    """With nothing between the two ends, the head sees the embeddings themselves."""
    model = _model(family, one="nice|glow", two="glow")
    points = model.adapter_runtime.injection.points.points
    embed = next(point for (_, role), point in points.items() if role.endswith(".embed"))
    head = points[-1, "head"]
    x = torch.randn(2, 3, WIDTH, dtype=torch.float64)
    for composition in ("one", Stack("one", "two"), Stack("two", "one")):
        model.active_adapters = composition
        with torch.no_grad():
            y = embed._act(None, (), x)
            ((back,), _) = head._act(None, (y,), {})
        assert (y - x).abs().max() > 0.1
        torch.testing.assert_close(back, x, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("family", LM)
def test_side_by_side_each_is_undone_by_itself(family: str) -> None:
    model = _model(family, a="nice", b="glow", t="seq_bn")
    trees = [Stack("a", "t"), Stack("b", "a"), "t"]
    alone = [_found(model, tree) for tree in trees]
    torch.testing.assert_close(_found(model, Parallel(*trees)), torch.cat(alone), atol=1e-10, rtol=0)
    split = _found(model, BatchSplit(*trees, batch_sizes=[1, 1, 1]))
    torch.testing.assert_close(split, torch.stack([a[i] for i, a in enumerate(alone)]), atol=1e-10, rtol=0)
    shared = Stack("a", Parallel("b", "t"))
    alone = [_found(model, Stack("a", "b")), _found(model, Stack("a", "t"))]
    torch.testing.assert_close(_found(model, shared), torch.cat(alone), atol=1e-10, rtol=0)


def test_an_encoder_decoder_has_it_at_the_encoder_and_in_front_of_the_head() -> None:
    tiny = MODELS["bart"]
    model = adapter_lib.init(tiny.with_head().double())
    model.add_adapter("one", "nice")
    shake(model, "one")
    forward, inverse = _maps(model)
    ids, target = (tiny.inputs()[key] for key in ("input_ids", "decoder_input_ids"))
    base = model.model
    shell = SimpleNamespace(
        layers=base.encoder.layers,
        embed_tokens=base.encoder.embed_tokens,
        embed_positions=base.encoder.embed_positions,
        layernorm_embedding=lambda x: forward(base.encoder.layernorm_embedding(x)),
    )
    with torch.no_grad():
        hidden = dense.bart(SimpleNamespace(encoder=shell, decoder=base.decoder), ids, target)
        expected = model.lm_head(inverse(hidden)) + model.final_logits_bias
        model.active_adapters = "one"
        found = model(input_ids=ids, decoder_input_ids=target).logits
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", ["albert", "electra"])
def test_narrow_embeddings_are_undone_in_front_of_the_narrow_head(name: str) -> None:
    config = MODELS[name].config()
    model: Any = adapter_lib.init(hf.AutoModelForMaskedLM.from_config(config).eval())
    report = model.add_adapter("one", "nice")
    assert report.places == {"embed": 1, "head": 1}
    assert _coupling(model).f.get_submodule("0").weight.shape == (4, 8)
    shake(model, "one")
    given = MODELS[name].inputs()
    with torch.no_grad():
        before = model(**given).logits
        model.active_adapters = "one"
        assert not torch.allclose(model(**given).logits, before, atol=1e-3)


def test_both_ends_share_one_set_of_parameters(tmp_path: Any) -> None:
    model = _model("gpt2", one="seq_bn_inv[inv_adapter_reduction_factor=4]")
    half = WIDTH // 2
    assert sum(p.numel() for p in _coupling(model).parameters()) == 2 * (
        2 * half * (half // 4) + half // 4 + half
    )
    model.save_adapter(tmp_path / "one", "one")
    # A model without a language-model head takes the same file.
    bare: Any = adapter_lib.init(build("gpt2", LM["gpt2"]).transformer.double())
    report = bare.load_adapter(tmp_path / "one")
    assert (report.missing, report.unexpected) == ((), ())
    bare.active_adapters = "one"
    torch.testing.assert_close(bare(IDS).last_hidden_state, _hidden(model), atol=1e-12, rtol=0)
    model.train_adapter("one")
    assert all(p.requires_grad for p in _coupling(model).parameters())


def _hidden(model: Any) -> Tensor:
    with AdapterSetup(model, "one"):
        found: Tensor = model(IDS, output_hidden_states=True).hidden_states[-1]
    return found


def test_the_words_of_adapters_name_a_bottleneck_with_an_invertible_adapter() -> None:
    for text, coupling, factor in (
        ("seq_bn_inv", "nice", 2.0),
        ("pfeiffer+inv[inv_adapter=glow]", "glow", 2.0),
        ("seq_bn[inv_adapter=nice, inv_adapter_reduction_factor=8]", "nice", 8.0),
        ("houlsby+inv", "nice", 2.0),
    ):
        config = adapter_lib.parse_config(text)
        bottleneck, invertible = config.members()
        assert isinstance(invertible, InvertibleConfig)
        assert (invertible.coupling, invertible.reduction_factor) == (coupling, factor)
        assert invertible.non_linearity == config.values()["non_linearity"]
        assert bottleneck.members() == (bottleneck,)
        assert config_from_dict(config.method, config.values()) == config
    assert SeqBnInvConfig().name() == "seq_bn_inv"
    assert SeqBnInvConfig().roles() == ("ffn", "embed", "head")
    joined = adapter_lib.parse_config("seq_bn_inv|lora")
    assert joined.name() == "seq_bn|nice|lora"


def test_the_cache_changes_nothing() -> None:
    given = inputs(side="left")
    model = prepared("gpt2", LM["gpt2"], one="seq_bn_inv", two="glow")
    model.active_adapters = Stack("one", "two")
    settings: dict[str, Any] = {"max_new_tokens": 5, "do_sample": False}
    cached = model.generate(**given, **settings, use_cache=True)
    assert torch.equal(cached, model.generate(**given, **settings, use_cache=False))


def test_widths_that_do_not_fit_are_refused() -> None:
    def place(role: str, width: int) -> Place:
        return Place(role, -1, width, width, role)

    with pytest.raises(ConfigError, match="a width of 33 does not allow"):
        InvertibleConfig().shared_shapes([place("embed", 33)])
    with pytest.raises(ConfigError, match=r"16 wide and the head takes 32.*inverse=false"):
        InvertibleConfig().shared_shapes([place("embed", 16), place("head", 32)])
    assert InvertibleConfig(inverse=False).roles() == ("embed",)


def test_a_gate_is_refused() -> None:
    with pytest.raises(ConfigError, match="could not be undone at the head"):
        InvertibleConfig(use_gating=True)
    with pytest.raises(ConfigError, match="coupling must be one of 'nice', 'glow'"):
        InvertibleConfig(coupling="realnvp")
    with pytest.raises(ConfigError, match="inv_adapter must be one of None, 'nice', 'glow'"):
        adapter_lib.parse_config("seq_bn[inv_adapter=realnvp]")


def test_a_model_without_an_embedding_place_is_told() -> None:
    model = adapter_lib.init(MODELS["whisper"].build())
    if any(key[1] == "encoder.embed" for key in model.adapter_runtime.injection.atlas.spots):
        pytest.skip("Whisper's encoder has an embedding place by now")
    with pytest.raises(FamilyError, match="embed"):
        model.add_adapter("one", "nice")
