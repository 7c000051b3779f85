"""Prefixes on every model of the zoo, and what must keep working around them."""

import copy
import inspect
import pickle
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.spec.composition import Average, BatchSplit, Fuse, Route, Split
from adapter_lib.spec.errors import AttachError, CompositionError
from tests.adapter_lib.tiny import shake
from tests.adapter_lib.zoo import MODELS, output, stirred
from tests.adapter_lib.zoo.spreading import spread

SHAPED = "prefix_tuning[prefix_length=3, bottleneck_size=4]"
FLAT = "prefix_tuning_flat[prefix_length=5]"
# One family for each way of attending that is not the interface's.
OWN_WAYS = (
    "gptj",
    "roformer",
    "bloom",
    "mpt",
    "falcon",
    "falcon-serial",
    "mvp",
    "xglm",
    "deberta",
    "deberta-v2",
)
GENERATING = ("gpt2", "llama", "mistral", "gptj", "bloom", "mpt", "falcon", "t5", "bart", "mvp", "whisper")


def _prepared(name: str, *, head: bool = False, **adapters: str) -> Any:
    tiny = MODELS[name]
    model = adapter_lib.init(tiny.with_head() if head else tiny.build())
    torch.manual_seed(1)
    for adapter, config in adapters.items():
        model.add_adapter(adapter, config)
        shake(model, adapter)
    return model


def _run(model: Any, composition: Any, given: dict[str, Tensor]) -> Tensor:
    with AdapterSetup(model, composition):
        return output(model, **given)


def _raw(model: Any, composition: Any, given: dict[str, Tensor]) -> Tensor:
    with AdapterSetup(model, composition), torch.no_grad():
        found: Tensor = model(**given)[0]
    return found


@pytest.mark.parametrize(
    "name", ["bert", "gpt2", "llama", "mistral", "gemma3-text", "t5", "bart", "clip-text"]
)
@pytest.mark.parametrize("side", spread(["right", "left", ""]))
def test_eager_and_sdpa_agree(name: str, side: str) -> None:
    model = _prepared(name, a=SHAPED, b=FLAT)
    given = MODELS[name].inputs(side=side or "right")
    if not side:
        given = {key: value for key, value in given.items() if key != "attention_mask"}
    for tree in ("a", Average("a", "b"), BatchSplit("a", "b", batch_sizes=[1, 2])):
        found = []
        for attention in ("sdpa", "eager"):
            model.set_attn_implementation(attention)
            found.append(_run(model, tree, given))
        torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["bert", *OWN_WAYS, "llama", "gpt2"])
def test_padding_means_nothing_to_the_other_tokens(name: str) -> None:
    model = _prepared(name, a=SHAPED)
    model.active_adapters = "a"
    side = "left" if MODELS[name].kind == "decoder" else "right"
    given = MODELS[name].inputs(side=side)
    kept = given["attention_mask"][1].bool()
    if side == "left":
        given["position_ids"] = (given["attention_mask"].cumsum(1) - 1).clamp(min=0)
    given = {key: value for key, value in given.items() if key != "position_ids" or _takes(model, key)}
    alone = {key: value[1:2] for key, value in given.items() if key.endswith("ids")}
    alone = {key: ids if key == "decoder_input_ids" else ids[:, kept] for key, ids in alone.items()}
    with torch.no_grad():
        together, single = model(**given)[0][1], model(**alone)[0][0]
    together = together if "decoder_input_ids" in given else together[kept]
    torch.testing.assert_close(together, single, atol=1e-5, rtol=0)


def _takes(model: Any, argument: str) -> bool:
    return argument in inspect.signature(model.forward).parameters


@pytest.mark.parametrize("name", ["bert", "llama", "t5", *OWN_WAYS])
def test_rows_without_a_prefix_are_the_bases(name: str) -> None:
    """Also where our own code attends in the place of the model's."""
    model = _prepared(name, a=SHAPED)
    model.add_adapter("nothing", "par_bn")  # which starts at zero
    given = MODELS[name].inputs()
    base = _raw(model, None, given)
    found = _raw(model, BatchSplit("nothing", "a", batch_sizes=[2, 1]), given)
    seen = slice(0, None) if "decoder_input_ids" in given else given["attention_mask"][:2].bool()
    torch.testing.assert_close(found[:2][seen], base[:2][seen], atol=1e-5, rtol=0)
    assert not torch.allclose(found[2], base[2], atol=1e-3)


@pytest.mark.parametrize("name", spread(GENERATING))
def test_the_cache_never_holds_a_prefix(name: str) -> None:
    """With a cache, without one, and with beams, whose rows are more than the batch's."""
    model = _prepared(name, head=True, a=SHAPED, b=FLAT)
    given = MODELS[name].inputs(side="left")
    given.pop("decoder_input_ids", None)
    wanted = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False, "output_scores": True}
    for tree in ("a", Stack("a", "b"), Average("a", "b"), BatchSplit("a", "b", batch_sizes=[1, 2])):
        with AdapterSetup(model, tree):
            cached, plain = (
                model.generate(**given, **wanted, use_cache=use_cache, return_dict_in_generate=True)
                for use_cache in (True, False)
            )
            for step, (score, same) in enumerate(zip(cached.scores, plain.scores, strict=True)):
                possible = score > -1e30
                assert torch.equal(possible, same > -1e30), step
                torch.testing.assert_close(score[possible], same[possible], atol=1e-4, rtol=0)
            beams = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False, "num_beams": 2}
            cached, plain = (model.generate(**given, **beams, use_cache=use) for use in (True, False))
            assert torch.equal(cached, plain)


@pytest.mark.parametrize("name", ["gpt2", "gptj", "t5"])
def test_parallel_generates_for_every_channel(name: str) -> None:
    model = _prepared(name, head=True, a=SHAPED, b=FLAT)
    given = MODELS[name].inputs(side="left")
    given.pop("decoder_input_ids", None)
    wanted = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False}
    alone = []
    for tree in ("a", "b"):
        with AdapterSetup(model, tree):
            alone.append(model.generate(**given, **wanted))
    with AdapterSetup(model, Parallel("a", "b")):
        assert torch.equal(model.generate(**given, **wanted), torch.cat(alone))


@pytest.mark.parametrize("name", ["bert", "llama", "deberta", "bloom", "mpt"])
def test_fuse_and_route_work_at_any_attention(name: str) -> None:
    model = _prepared(name, a=SHAPED, b=FLAT, c=FLAT)
    given = MODELS[name].inputs()
    model.add_adapter_fusion(["a", "b"])
    model.add_route(["a", "b"])
    for part in model.adapter_runtime.injection.block_parts("fuse", "a,b").values():
        for parameter in part.parameters():
            nn.init.normal_(parameter, std=0.5)
    fused, routed = _run(model, Fuse("a", "b"), given), _run(model, Route("a", "b"), given)
    torch.testing.assert_close(routed, _run(model, Average("a", "b"), given), atol=1e-5, rtol=0)
    assert not torch.allclose(fused, routed, atol=1e-4)
    trees = [Fuse("a", "b"), "c", Stack("c", Fuse("a", "b"))]
    alone = [_run(model, tree, given) for tree in trees]
    torch.testing.assert_close(_run(model, Parallel(*trees), given), torch.cat(alone), atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", OWN_WAYS)
def test_split_gives_each_token_one_of_the_prefixes(name: str) -> None:
    """With both halves the same it is that prefix alone; the first layer's tokens tell the halves apart."""
    model = _prepared(name, a=SHAPED, b=FLAT)
    given = MODELS[name].inputs()
    if "decoder_input_ids" in given:
        pytest.skip("the two towers see sequences of different lengths, which no Split can fit")
    same = _raw(model, Split("a", "a", splits=[4, 3]), given)
    torch.testing.assert_close(same, _raw(model, "a", given), atol=1e-5, rtol=0)
    model.delete_adapter("b")
    model.add_adapter("b", f"{FLAT[:-1]}, leave_out=[1]]")
    model.delete_adapter("a")
    model.add_adapter("a", f"{FLAT[:-1]}, leave_out=[1]]")
    shake(model, "a")
    shake(model, "b")
    seen: list[Tensor] = []
    layer = model.adapter_runtime.injection.atlas.resolved.towers[0].layers[0]
    handle = layer.register_forward_hook(
        lambda m, a, out: seen.append(out[0] if isinstance(out, tuple) else out)
    )
    for tree in ("a", "b", Split("a", "b", splits=[4, 3])):
        _raw(model, tree, given)
    handle.remove()
    torch.testing.assert_close(seen[2], torch.cat([seen[0][:, :4], seen[1][:, 4:]], dim=1), atol=1e-5, rtol=0)


def test_a_prefix_after_a_fuse_is_refused_and_nothing_changes() -> None:
    model = _prepared("bert", a=SHAPED, b=FLAT, c=FLAT)
    model.add_adapter_fusion(["a", "b"])
    model.active_adapters = "a"
    for tree in (Stack(Fuse("a", "b"), "c"), Parallel("c", Stack(Fuse("a", "b"), "c"))):
        with pytest.raises(CompositionError, match="put the Fuse last"):
            model.active_adapters = tree
        assert model.active_adapters == Stack("a")
    model.active_adapters = Stack("c", Fuse("a", "b"))


def test_an_attention_that_never_asks_is_found_out() -> None:
    model = _prepared("bert", a=SHAPED)
    attention = model.encoder.layer[1].attention.self
    attention.forward = lambda hidden, *_, **__: (attention.value(hidden), None)
    given = MODELS["bert"].inputs()
    model(**given)
    model.active_adapters = "a"
    with pytest.raises(AttachError, match=r"BertSelfAttention \(layer 1\) attends without asking"):
        model(**given)


def test_functions_with_other_masks_are_refused() -> None:
    model = _prepared("llama", a=SHAPED)
    model.active_adapters = "a"
    model.config._attn_implementation_internal = "flash_attention_2"
    with pytest.raises(AttachError, match="flash_attention_2 cannot put a prefix in front"):
        model(**MODELS["llama"].inputs())


def test_another_attention_function_takes_over_at_once() -> None:
    model = _prepared("gpt2", a=SHAPED)
    given, calls = MODELS["gpt2"].inputs(), []

    def counting(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        calls.append(module)
        return sdpa_attention_forward(module, *args, **kwargs)

    model.active_adapters = "a"
    expected = output(model, **given)
    AttentionInterface.register("counting", counting)
    try:
        model.config._attn_implementation_internal = "counting"
        torch.testing.assert_close(output(model, **given), expected, atol=1e-5, rtol=0)
        assert calls == [block.attn for block in model.h]
    finally:
        del AttentionInterface._global_mapping["counting"]


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5", *OWN_WAYS])
def test_copies_pickles_and_files_of_a_model_in_use(name: str, tmp_path: Any) -> None:
    model = _prepared(name, a=SHAPED, b=FLAT)
    given = MODELS[name].inputs()
    base = output(MODELS[name].build(), **given)
    model.active_adapters = Average("a", "b")
    expected = output(model, **given)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  (our own bytes)
        assert torch.equal(output(twin, **given), expected)
        twin.active_adapters = None
        assert torch.equal(output(twin, **given), base)
        assert torch.equal(output(adapter_lib.detach(twin), **given), base)
    model.save_pretrained(tmp_path)
    assert "adapter_lib" not in (tmp_path / "config.json").read_text()
    assert torch.equal(output(model, **given), expected)


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5", "gptj", "deberta", "mpt"])
@pytest.mark.parametrize("is_reentrant", [True, False])
def test_gradients_are_the_same_with_checkpointing(name: str, is_reentrant: bool) -> None:
    gradients = []
    for is_checkpointing in (False, True):
        model = _prepared(name, head=True, a=SHAPED, b=FLAT)
        for module in model.modules():
            for rate in ("p", "dropout", "attn_dropout_p"):
                if isinstance(getattr(module, rate, None), float):
                    setattr(module, rate, 0.0)
        if is_checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": is_reentrant})
            model.enable_input_require_grads()
        model.train_adapter(Average("a", "b"))
        cache = {} if MODELS[name].kind == "encoder" else {"use_cache": False}
        model(**MODELS[name].inputs(), **cache)[0].square().sum().backward()
        gradients.append([p.grad for p in model.parameters() if p.requires_grad])
    for plain, again in zip(*gradients, strict=True):
        torch.testing.assert_close(again, plain, atol=1e-5 * float(plain.abs().max()), rtol=0)


@pytest.mark.parametrize("name", ["bert", "llama", "t5", "gptj", "deberta-v2", "bloom"])
def test_half_precision_stays_half(name: str) -> None:
    model = _prepared(name, a=SHAPED, b="prefix_tuning_flat[prefix_length=2, use_gating=true]")
    given = MODELS[name].inputs()
    expected = _raw(model, Average("a", "b"), given)
    found = _raw(model.to(torch.bfloat16), Average("a", "b"), given)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.1, rtol=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = _raw(model.float(), Stack("a", "b"), given)
    torch.testing.assert_close(mixed.float(), _raw(model, Stack("a", "b"), given), atol=0.1, rtol=0.05)


@pytest.mark.matrix
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ["llama", "mpt", "deberta-v2"])
def test_switching_is_noticed_by_a_compiled_model(name: str) -> None:
    torch._dynamo.reset()
    config = MODELS[name].config()
    config.num_hidden_layers = 1
    model = adapter_lib.init(stirred(hf.AutoModel.from_config(config)))
    model.add_adapter("a", SHAPED)
    model.add_adapter("b", "prefix_tuning_flat[prefix_length=5, use_gating=true]")
    shake(model, "a")
    given = MODELS[name].inputs()
    compiled: Any = torch.compile(model, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        for tree in (None, "a", Average("a", "b"), None):
            with AdapterSetup(model, tree):
                torch.testing.assert_close(compiled(**given)[0], model(**given)[0], atol=1e-5, rtol=0)
