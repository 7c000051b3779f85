"""ReFT against its equation, token by token in float64: which tokens, with which weights, on which layers."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor
from torch.nn import functional as F

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.methods.reft import orthonormal
from adapter_lib.spec.composition import BatchSplit, Split
from adapter_lib.spec.configs import Place, ReftConfig, config_from_dict
from adapter_lib.spec.errors import AttachError, ConfigError
from tests.adapter_lib.tiny import WIDTH, build, inputs, prepared, shake
from tests.adapter_lib.zoo import MODELS

FAMILIES = ("bert", "gpt2", "llama")
Edit = Callable[[int, Tensor], Tensor]


def _doubled(family: str, **adapters: str) -> Any:
    model = adapter_lib.init(build(family).double())
    for name, config in adapters.items():
        model.add_adapter(name, config)
        shake(model, name)
    return model


def _edit(model: Any, mask: Tensor, name: str = "one") -> Edit:
    """The edit of a layer's output, one token after the other."""
    parts = model.adapter_runtime.injection.parts(name)

    def edit(layer: int, h: Tensor) -> Tensor:
        if (layer, "layer") not in parts:
            return h
        part = parts[layer, "layer"]
        w = {key: value.detach() for key, value in part.named_parameters()}
        after = h.clone()
        for row in range(h.shape[0]):
            for unit, tokens in _tokens(part.config, mask[row]).items():
                for token in tokens:
                    after[row, token] += _delta(part.config, w, unit, h[row, token])
        return after

    return edit


def _tokens(config: ReftConfig, mask: Tensor) -> dict[str, list[int]]:
    real = mask.nonzero().flatten().tolist()
    first = real[: config.prefix_positions]
    last = real[-config.suffix_positions :] if config.suffix_positions else []
    return {"tied": sorted({*first, *last})} if config.tied_weights else {"prefix": first, "suffix": last}


def _delta(config: ReftConfig, w: dict[str, Tensor], unit: str, h: Tensor) -> Tensor:
    act = {None: lambda x: x, "gelu": F.gelu}[config.non_linearity]
    rows = w[f"{unit}.projection"]
    if config.orthogonality:
        rows = _gram_schmidt(rows)
    low = act(w[f"{unit}.source.weight"] @ h + w[f"{unit}.source.bias"])
    if config.subtract_projection:
        low = low - rows @ h
    return rows.T @ low


def _gram_schmidt(free: Tensor) -> Tensor:
    found: list[Tensor] = []
    for row in free:
        for other in found:
            row = row - (row @ other) * other
        found.append(row / row.norm())
    return torch.stack(found)


def _states(model: Any, family: str, given: dict[str, Tensor], edit: Edit) -> list[Tensor]:
    """What leaves every layer, and the model, where the layers' outputs are edited by hand."""
    path = {"bert": "encoder.layer", "gpt2": "h", "llama": "layers"}[family]
    twin = build(family).double()
    states, output = _by_hand(twin, list(twin.get_submodule(path)), given, edit)
    return [*states, output.last_hidden_state]


def _by_hand(twin: Any, layers: list[Any], given: dict[str, Tensor], edit: Edit) -> tuple[list[Tensor], Any]:
    """Runs a model that the library has not touched, its layers' outputs edited by hand."""
    found: list[Tensor] = []

    def hook(number: int) -> Any:
        def replace(module: Any, args: Any, output: Any) -> Any:
            after = edit(number, output[0] if isinstance(output, tuple) else output)
            found.append(after)
            return (after, *output[1:]) if isinstance(output, tuple) else after

        return replace

    handles = [layer.register_forward_hook(hook(number)) for number, layer in enumerate(layers)]
    with torch.no_grad():
        output = twin(**given)
    for handle in handles:
        handle.remove()
    return found, output


CONFIGS = (
    "loreft",
    "loreft[r=4, prefix_positions=2, suffix_positions=1]",
    "loreft[r=3, suffix_positions=2, tied_weights=true, non_linearity=gelu]",
    "noreft[r=2]",
    "direft[r=2, non_linearity=gelu, suffix_positions=1, prefix_positions=0]",
    "loreft[r=2, layers=[1]]",
    "direft[r=2, layers=[0], prefix_positions=9, suffix_positions=9]",
    "noreft[r=2, prefix_positions=3, suffix_positions=3, tied_weights=true]",
)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("side", ["right", "left", "none"])
@pytest.mark.parametrize("config", CONFIGS)
def test_the_edit_of_the_first_and_last_tokens(family: str, side: str, config: str) -> None:
    model = _doubled(family, one=config)
    given = inputs(side="right" if side == "none" else side)
    mask = torch.ones_like(given["attention_mask"]) if side == "none" else given["attention_mask"]
    given = {"input_ids": given["input_ids"]} | ({} if side == "none" else {"attention_mask": mask})
    expected = _states(model, family, given, _edit(model, mask))
    model.active_adapters = "one"
    with torch.no_grad():
        found = model(**given, output_hidden_states=True)
        base = build(family).double()(**given).last_hidden_state
    real = mask.bool()
    assert (expected[-1] - base)[real].abs().max() > 1e-3
    torch.testing.assert_close(found.last_hidden_state[real], expected[-1][real], atol=1e-10, rtol=0)
    # What transformers records is what the next layer gets (decoders record the last one behind the norm).
    for i in range(1, len(found.hidden_states) - 1):
        torch.testing.assert_close(found.hidden_states[i][real], expected[i - 1][real], atol=1e-10, rtol=0)


@pytest.mark.parametrize(("name", "layers"), [("bart", "layers"), ("t5", "block")])
@pytest.mark.parametrize("side", ["left", "right"])
def test_each_tower_has_its_own_mask(name: str, layers: str, side: str) -> None:
    tiny = MODELS[name]
    model, twin = adapter_lib.init(tiny.build().double()), tiny.build().double()
    model.add_adapter("one", "loreft[r=2, prefix_positions=2, suffix_positions=1]")
    shake(model, "one")
    given = tiny.inputs(side=side)
    target = torch.ones_like(given["decoder_input_ids"])
    target[0, -2:] = 0
    given["decoder_attention_mask"] = target
    masks = given["attention_mask"], target
    towers = [getattr(getattr(twin, tower), layers) for tower in ("encoder", "decoder")]
    edits = [_edit(model, mask) for mask in masks]
    _, expected = _by_hand(
        twin, [*towers[0], *towers[1]], given, lambda i, h: edits[i // len(towers[0])](i, h)
    )
    model.active_adapters = "one"
    with torch.no_grad():
        found = model(**given)
    for key, mask in zip(("encoder_last_hidden_state", "last_hidden_state"), masks, strict=True):
        real = mask.bool()
        torch.testing.assert_close(found[key][real], expected[key][real], atol=1e-10, rtol=0)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("with_mask", [True, False])
def test_cached_generation_counts_from_the_sequences_start(family: str, with_mask: bool) -> None:
    model = prepared(family, hf.AutoModelForCausalLM, one="loreft[r=2, prefix_positions=5]")
    model.active_adapters = "one"
    # A prompt shorter than the prefix: the first new tokens are still among the first of the sequence.
    given = inputs(length=4, side="left") if with_mask else {"input_ids": inputs(length=4)["input_ids"]}
    cache = None
    ids, mask = given["input_ids"], given.get("attention_mask")
    with torch.no_grad():
        for _ in range(4):
            settings = {"attention_mask": mask} if with_mask else {}
            whole = model(input_ids=ids, **settings, use_cache=False).logits[:, -1]
            fresh = ids if cache is None else ids[:, -1:]
            step = model(input_ids=fresh, **settings, use_cache=True, past_key_values=cache)
            cache = step.past_key_values
            torch.testing.assert_close(step.logits[:, -1], whole, atol=1e-5, rtol=0)
            ids = torch.cat([ids, whole.argmax(-1, keepdim=True)], dim=1)
            mask = None if mask is None else F.pad(mask, (0, 1), value=1)
    settings = {"max_new_tokens": 5, "do_sample": False}
    assert torch.equal(
        model.generate(**given, **settings, use_cache=True),
        model.generate(**given, **settings, use_cache=False),
    )


def test_an_encoder_decoder_generates_the_same_with_a_cache() -> None:
    tiny = MODELS["bart"]
    model = adapter_lib.init(tiny.with_head())
    model.add_adapter("one", "loreft[r=2, prefix_positions=2]")
    shake(model, "one")
    model.active_adapters = "one"
    given = {key: tiny.inputs()[key] for key in ("input_ids", "attention_mask")}
    settings: dict[str, Any] = {"max_new_tokens": 6, "do_sample": False}
    cached = model.generate(**given, **settings, use_cache=True)
    assert torch.equal(cached, model.generate(**given, **settings, use_cache=False))


def test_suffix_positions_of_a_prompt_stay_where_they_were() -> None:
    model = prepared("gpt2", one="direft[r=2, prefix_positions=0, suffix_positions=2]")
    ids = inputs()["input_ids"]
    model.active_adapters = "one"
    with torch.no_grad():
        start = model(ids[:, :5], use_cache=True)
        step = model(ids[:, 5:6], past_key_values=start.past_key_values, use_cache=True)
        by_hand = copy.deepcopy(model)
        by_hand.active_adapters = None
        start = model(ids[:, :5], use_cache=True)
        expected = by_hand(ids[:, 5:6], past_key_values=start.past_key_values, use_cache=True)
    torch.testing.assert_close(step.last_hidden_state, expected.last_hidden_state, atol=1e-6, rtol=0)


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_blocks_see_the_tokens_they_should(family: str) -> None:
    model = _doubled(
        family, a="loreft[r=2, layers=[0]]", b="direft[r=2, suffix_positions=1, layers=[0]]", c="lora"
    )
    given = inputs(side="left")
    mask = given["attention_mask"]
    a, b = (_edit(model, mask, name) for name in "ab")

    def states(edit: Edit) -> Tensor:
        return _states(model, family, given, edit)[-1]

    def found(composition: Any) -> Tensor:
        with torch.no_grad(), AdapterSetup(model, composition):
            hidden: Tensor = model(**given).last_hidden_state
        return hidden

    real = mask.bool()
    alone = {"a": states(a), "b": states(b)}
    stacked = states(lambda i, h: b(i, a(i, h)))
    torch.testing.assert_close(found(Stack("a", "b"))[real], stacked[real], atol=1e-10, rtol=0)
    both = torch.cat([alone["a"], alone["b"]])
    torch.testing.assert_close(
        found(Parallel("a", "b"))[real.repeat(2, 1)], both[real.repeat(2, 1)], atol=1e-10, rtol=0
    )
    rows = torch.cat([alone["a"][:2], alone["b"][2:]])
    split = found(BatchSplit("a", "b", batch_sizes=[2, 1]))
    torch.testing.assert_close(split[real], rows[real], atol=1e-10, rtol=0)

    # Each adapter of a Split edits those of the sequence's first and last tokens that are its own.
    def parted(i: int, h: Tensor) -> Tensor:
        return torch.cat([a(i, h)[:, :2], b(i, h)[:, 2:]], dim=1)

    torch.testing.assert_close(
        found(Split("a", "b", splits=[2, 5]))[real], states(parted)[real], atol=1e-10, rtol=0
    )


def test_dropout_acts_on_the_result_while_training() -> None:
    model = prepared("bert", one="loreft[dropout=0.5, layers=[1]]")
    model.active_adapters = "one"
    part = model.adapter_runtime.injection.parts("one")[1, "layer"]
    h = torch.randn(400, 6, WIDTH)
    point = model.adapter_runtime.injection.points.points[1, "layer"]
    with torch.no_grad():
        expected = point._change(h)
        part.train()
        found = point._change(h)
    kept = found[:, :3] != 0
    assert 0.45 < kept.float().mean() < 0.55
    torch.testing.assert_close(found[:, :3][kept], 2 * expected[:, :3][kept], atol=1e-4, rtol=0)
    assert torch.equal(found[:, 3:], h[:, 3:])


def test_a_fresh_adapter_starts_as_the_paper_says() -> None:
    model: Any = adapter_lib.init(build("bert"))
    model.add_adapter("lo", "loreft[r=6]")
    model.add_adapter("no", "noreft[r=6]")
    lo, no = (model.adapter_runtime.injection.parts(name)[0, "layer"].unit("prefix") for name in ("lo", "no"))
    torch.testing.assert_close(lo.projection @ lo.projection.T, torch.eye(6), atol=1e-5, rtol=0)
    for tensor in (lo.source.weight, no.source.weight, no.projection):
        assert 0 < tensor.abs().max() <= WIDTH**-0.5


@pytest.mark.parametrize("r", [1, 2, 5, 31])
def test_the_orthonormal_map(r: int) -> None:
    torch.manual_seed(r)
    free = torch.randn(r, WIDTH, dtype=torch.float64) * torch.logspace(-3, 3, r, dtype=torch.float64)[:, None]
    rows = orthonormal(free)
    identity = torch.eye(r, dtype=torch.float64)
    torch.testing.assert_close(rows @ rows.T, identity, atol=1e-13, rtol=0)
    torch.testing.assert_close(rows, _gram_schmidt(free), atol=1e-9, rtol=0)
    torch.testing.assert_close(orthonormal(rows), rows, atol=1e-13, rtol=0)
    single = orthonormal(free.float())
    torch.testing.assert_close(single @ single.T, identity.float(), atol=2e-6, rtol=0)
    if r < 6:
        assert torch.autograd.gradcheck(orthonormal, (torch.randn(r, WIDTH).double().requires_grad_(),))
    start = rows.clone().requires_grad_()
    orthonormal(start).pow(3).sum().backward()
    assert start.grad is not None
    assert bool(start.grad.isfinite().all())


def test_rows_of_a_lower_rank_raise() -> None:
    with pytest.raises(torch.linalg.LinAlgError):
        orthonormal(torch.ones(2, WIDTH))


def test_the_rows_stay_orthonormal_while_training() -> None:
    model = prepared("gpt2", one="loreft[r=4, dropout=0]")
    model.train_adapter("one")
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=0.05, weight_decay=0.1
    )
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = (model(**inputs()).last_hidden_state[:, :3] - 1).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    rows = model.adapter_runtime.injection.parts("one")[0, "layer"].unit("prefix").rows()
    torch.testing.assert_close(rows @ rows.T, torch.eye(4), atol=1e-5, rtol=0)
    assert losses[-1] < losses[0]


def test_given_rows_can_be_set_and_survive_copies_and_files(tmp_path: Any) -> None:
    model = prepared("bert", one="loreft[r=3]")
    part = model.adapter_runtime.injection.parts("one")[0, "layer"]
    rows = torch.linalg.qr(torch.randn(WIDTH, 3)).Q.T
    part.unit("prefix").set_rows(rows)
    torch.testing.assert_close(part.unit("prefix").rows(), rows, atol=1e-6, rtol=0)
    exact = part.unit("prefix").rows()
    for twin in (copy.deepcopy(part), pickle.loads(pickle.dumps(part.unit("prefix")))):  # noqa: S301  (our own bytes)
        unit = twin if twin is not part and hasattr(twin, "rows") else twin.unit("prefix")
        assert torch.equal(unit.rows(), exact)
    model.save_adapter(tmp_path / "one", "one")
    fresh: Any = adapter_lib.init(build("bert"))
    fresh.load_adapter(tmp_path / "one")
    again = fresh.adapter_runtime.injection.parts("one")[0, "layer"].unit("prefix")
    assert torch.equal(again.rows(), exact)


def test_rows_that_are_not_orthonormal_cannot_be_set() -> None:
    unit = (
        prepared("bert", one="loreft[r=3]").adapter_runtime.injection.parts("one")[0, "layer"].unit("prefix")
    )
    with pytest.raises(AttachError, match="not orthonormal"):
        unit.set_rows(torch.ones(3, WIDTH))
    with pytest.raises(AttachError, match=r"must be \[3, 32\], not \[2, 32\]"):
        unit.set_rows(torch.eye(2, WIDTH))
    free = (
        prepared("bert", one="noreft[r=3]").adapter_runtime.injection.parts("one")[0, "layer"].unit("prefix")
    )
    free.set_rows(torch.ones(3, WIDTH))
    assert bool((free.rows() == 1).all())


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_compiled_without_a_break() -> None:
    torch._dynamo.reset()
    model = prepared("bert", layers=1, one="loreft[r=3, suffix_positions=1]", two="seq_bn", three="seq_bn")
    compiled: Any = torch.compile(model, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        for composition in (Stack("two", "one"), Parallel("two", "three")):
            with AdapterSetup(model, composition):
                expected = model(**inputs()).last_hidden_state
                found = compiled(**inputs()).last_hidden_state
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_autocast_computes_the_rows_in_full() -> None:
    model = prepared("bert", one="loreft[r=3]")
    model.active_adapters = "one"
    with torch.no_grad():
        expected = model(**inputs()).last_hidden_state
        with torch.autocast("cpu", torch.bfloat16):
            found = model(**inputs()).last_hidden_state
        half = model.to(torch.bfloat16)(**inputs()).last_hidden_state
    torch.testing.assert_close(found.float(), expected, atol=0.2, rtol=0.1)
    torch.testing.assert_close(half.float(), expected, atol=0.2, rtol=0.1)


def test_states_without_a_sequence_are_refused() -> None:
    model = prepared("bert", one="loreft")
    model.active_adapters = "one"
    with pytest.raises(AttachError, match="edits tokens of"):
        model.adapter_runtime.injection.points.points[0, "layer"]._change(torch.zeros(1, 2, 2, WIDTH))


def test_presets_know_their_names() -> None:
    for name in ("loreft", "noreft", "direft"):
        config = adapter_lib.parse_config(f"{name}[r=2]")
        assert config.name() == name
        assert config_from_dict("reft", config.values()).name() == name
    assert adapter_lib.parse_config("loreft[subtract_projection=false]").name() == "reft"


def test_layers_are_chosen_and_left_out() -> None:
    assert ReftConfig(layers=[2, 0], leave_out=[0]).covered_layers(4) == (2,)
    with pytest.raises(ConfigError, match="layers names layer 4, but the backbone has 4"):
        ReftConfig(layers=[4]).covered_layers(4)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"r": 0}, "r must be a whole number of at least 1"),
        ({"prefix_positions": 0}, "edits no token"),
        ({"layers": "some"}, "layers must be one of 'all'"),
        ({"layers": []}, "'all' or at least one layer"),
        ({"dropout": 1}, "dropout must be a number from 0"),
        ({"non_linearity": "cube"}, "non_linearity must be one of None"),
        (
            {"dtype": "float16"},
            "does not take dtype: an adapter's parameters have the type of the backbone's",
        ),
    ],
)
def test_bad_values_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config_from_dict("reft", values)


def test_more_orthonormal_rows_than_the_width_are_refused() -> None:
    with pytest.raises(ConfigError, match="33 orthonormal rows of 32"):
        ReftConfig(r=33).shapes(Place("layer", 0, 32, 32, "layer"))
    assert ReftConfig(r=33, orthogonality=False).shapes(Place("layer", 0, 32, 32, "layer"))
