"""Adapters in the weights themselves: in turn, as compositions, in half precision, shipped, and out again."""

import copy
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor, nn

import adapter_lib
from adapter_lib import AdapterSetup, Average, BatchSplit, Fuse, Parallel, Split, Stack
from adapter_lib.spec.errors import AttachError, UnknownNameError
from tests.adapter_lib.methods.weights import FAMILIES, check, doubled, hidden, numbers
from tests.adapter_lib.tiny import build, inputs, output, prepared, shake

# One of each kind of update: added, scaled (of outputs and inputs), turned, with a magnitude, biases, norms.
KINDS = {
    "lora": "lora[r=3, targets=[q, v, down]]",
    "ia3": "ia3",
    "oft": "oft[block_size=8]",
    "dora": "dora[r=2, targets=[k, v, down]]",
    "hira": "hira[r=2]",
    "norm": "norm_tuning",
    "bias": "bitfit",
}
COMPOSITIONS = {
    "stack": Stack("lora", "dora", "oft"),
    "scaled between": Stack("lora", "ia3", "hira"),
    "all": Stack(*KINDS),
    "average": Average("lora", "ia3", "oft"),
    "weighted": Average("lora", "dora", weights=[3.0, -1.0]),
    "not normalised": Average("lora", "ia3", weights=[0.5, 0.2], normalize_weights=False),
    "nested": Stack("dora", Average("ia3", Stack("lora", "norm"), weights=[0.25, 0.75]), "bias"),
}
each_family = pytest.mark.parametrize("family", FAMILIES)


def _same(model: Any, found: Tensor, expected: Tensor) -> None:
    """Equal up to rounding: LLaMA's norms compute in float32 whatever they get."""
    check(found, expected, within=2e-6 if model.config.model_type == "llama" else 1e-10)


def _state(model: Any) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in model.state_dict().items()}


def _is_untouched(model: Any, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


def _model(family: str) -> Any:
    # LLaMA has no biases that could be tuned.
    return doubled(family, **{k: v for k, v in KINDS.items() if family != "llama" or k != "bias"})


@each_family
@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_merged_composition_is_its_forward_and_goes_without_a_trace(family: str, name: str) -> None:
    model, block = _model(family), COMPOSITIONS[name]
    if "bias" in block.names() and family == "llama":
        block = Stack("dora", Average("ia3", Stack("lora", "norm"), weights=[0.25, 0.75]))
    state = _state(model)
    with AdapterSetup(model, block):
        expected = hidden(model)
    report = model.merge_adapter(block)
    assert report.places > 0
    _same(model, hidden(model), expected)
    model.reset_adapter()
    assert _is_untouched(model, state)


@each_family
@pytest.mark.parametrize("second", ["lora", "ia3", "oft", "dora", "hira"])
def test_merging_in_turn_is_a_stack(family: str, second: str) -> None:
    model = doubled(family, one="lora[r=2, targets=[q, k, v, down]]", two=KINDS[second])
    state = _state(model)
    with AdapterSetup(model, Stack("one", "two")):
        expected = hidden(model)
    model.merge_adapter("one")
    model.merge_adapter("two")
    _same(model, hidden(model), expected)
    assert {row.name for row in model.adapter_status().rows if row.is_merged} == {"one", "two"}
    in_turn = _state(model)
    model.reset_adapter()
    assert _is_untouched(model, state)
    model.merge_adapter(Stack("one", "two"))
    assert _is_untouched(model, in_turn)


@each_family
@pytest.mark.parametrize("second", ["lora", "oft", "dora", "hira"])
def test_what_acts_on_top_of_a_merged_adapter_sees_the_weights_as_they_were(family: str, second: str) -> None:
    model = doubled(family, one="lora[r=2, targets=[q, k, v, down]]", two=KINDS[second])
    with AdapterSetup(model, Stack("one", "two")):
        expected = hidden(model)
    model.merge_adapter("one")
    model.active_adapters = "two"
    _same(model, hidden(model), expected)


class _Grid(nn.Module):
    """An embedding and a convolution over it."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.grid = nn.Embedding(9, 4), nn.Conv1d(4, 5, 3)

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.grid(self.words(ids).mT)
        return found


@pytest.mark.parametrize("second", ["lora[r=2, targets=[words, grid]]", "dora[r=2, targets=[words, grid]]"])
def test_convolutions_and_embeddings_do_as_linear_maps(second: str) -> None:
    torch.manual_seed(5)
    model: Any = adapter_lib.init(_Grid().double())
    for name, config in {"one": "lora[r=2, targets=[words, grid]]", "two": second}.items():
        model.add_adapter(name, config)
        shake(model, name)
    ids = torch.arange(12).view(2, 6) % 9
    with torch.no_grad():
        base = model(ids)
        with AdapterSetup(model, Stack("one", "two")):
            expected = model(ids)
        model.merge_adapter("one")
        with AdapterSetup(model, "two"):
            check(model(ids), expected)
        model.merge_adapter("two")
        check(model(ids), expected)
        model.reset_adapter()
        assert torch.equal(model(ids), base)


@pytest.mark.parametrize(
    "block",
    [
        Parallel("a", "b"),
        BatchSplit("a", "b", batch_sizes=[1, 2]),
        Stack("a", Split("a", "b", splits=[3, 4])),
        Average("a", Fuse("a", "b")),
    ],
)
def test_what_depends_on_the_input_is_refused(block: Any) -> None:
    model = prepared("bert", a="lora", b="lora")
    state = _state(model)
    with pytest.raises(AttachError, match="depends on the input, so it cannot be merged into weights"):
        model.merge_adapter(block)
    assert _is_untouched(model, state)


def test_a_refusal_leaves_what_was_merged() -> None:
    model = prepared("bert", a="lora", b="seq_bn", c="lora|seq_bn")
    model.merge_adapter("a")
    merged = _state(model)
    for block in ("b", "c", Average("b", "a"), "a"):
        with pytest.raises(AttachError, match=r"no update of weights|merged into the weights"):
            model.merge_adapter(block)
        assert _is_untouched(model, merged)
    with pytest.raises(UnknownNameError):
        model.merge_adapter("d")
    with pytest.raises(AttachError, match="Name the adapter"):
        model.merge_adapter(None)
    model.reset_adapter()
    assert torch.equal(output(model), output(build("bert")))


def test_one_of_several_merged_adapters_cannot_be_deleted() -> None:
    model = prepared("bert", a="lora", b="lora")
    model.merge_adapter(["a", "b"])
    with pytest.raises(AttachError, match=r"'a' is merged together with others .*: reset_adapter\(\) first"):
        model.delete_adapter("a")
    assert list(model.adapter_runtime.injection.configs) == ["a", "b"]
    model.reset_adapter()
    model.delete_adapter("a")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("config", ["lora[r=4, targets=[q, v, down]]", "ia3", "oft[block_size=8]"])
def test_the_change_is_rounded_once_and_the_loss_is_told(kind: torch.dtype, config: str) -> None:
    model: Any = adapter_lib.init(build("gpt2").to(kind))
    model.add_adapter("one", config)
    shake(model, "one")
    original = _state(model)
    wanted = doubled_twin(model, config)
    before = {key: value.clone() for key, value in wanted.state_dict().items() if "adapter_lib" not in key}
    wanted.merge_adapter("one")
    report = model.merge_adapter("one")
    change, lost = 0.0, 0.0
    for key, value in before.items():
        exact, held = wanted.state_dict()[key], model.state_dict()[key]
        change += float((exact - value).square().sum())
        lost += float((exact - held.double()).square().sum())
        # No entry is further off than half a step of its type.
        step = torch.finfo(kind).eps * exact.abs().clamp(min=torch.finfo(kind).tiny)
        assert ((exact - held.double()).abs() <= step / 2 * (1 + 1e-6)).all()
    assert report.change == pytest.approx(change**0.5, rel=1e-6)
    assert report.error == pytest.approx((lost / change) ** 0.5, rel=1e-6)
    assert 0 < report.error < 2 * torch.finfo(kind).eps
    model.reset_adapter()
    assert _is_untouched(model, original)


def doubled_twin(model: Any, config: str) -> Any:
    """The same numbers in float64."""
    twin = copy.deepcopy(model).double()
    assert list(twin.adapter_runtime.injection.configs) == ["one"], config
    return twin


@pytest.mark.parametrize("auto", [hf.AutoModelForSequenceClassification, hf.AutoModelForCausalLM])
@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_a_merged_model_is_shipped_as_a_plain_checkpoint(family: str, auto: Any, tmp_path: Any) -> None:
    model = prepared(family, auto, a="lora[r=4, targets=[q, v, down]]", b="ia3")
    model.set_active_adapters(Stack("a", "b"))
    with torch.no_grad():
        expected = model(**inputs()).logits
    model.merge_adapter(Stack("a", "b"))
    model.save_pretrained(tmp_path / "merged")
    detached = adapter_lib.detach(model, merged=True)
    assert type(detached) is type(build(family, auto))
    assert not any("adapter_lib_" in key for key in detached.state_dict())
    detached.save_pretrained(tmp_path / "detached")
    for folder in ("merged", "detached"):
        loaded = auto.from_pretrained(tmp_path / folder).eval()
        assert list(loaded.state_dict()) == list(build(family, auto).state_dict())
        with torch.no_grad():
            torch.testing.assert_close(loaded(**inputs()).logits, expected, atol=2e-5, rtol=0)
            assert torch.equal(loaded(**inputs()).logits, detached(**inputs()).logits)


def test_nothing_is_shipped_where_nothing_is_merged() -> None:
    model = prepared("bert", a="lora")
    with pytest.raises(AttachError, match=r"Nothing is merged into the weights: merge_adapter\(\) first"):
        adapter_lib.detach(model, merged=True)
    model.merge_adapter("a")
    assert torch.equal(output(adapter_lib.detach(model)), output(build("bert")))


def test_a_detached_merged_model_takes_new_adapters() -> None:
    model = doubled("bert", a="lora[r=4]")
    weight = numbers(model, "bert", 0, "attn.q").weight.clone()
    model.merge_adapter("a")
    again: Any = adapter_lib.init(adapter_lib.detach(model, merged=True))
    changed = numbers(again, "bert", 0, "attn.q").weight.clone()
    assert not torch.equal(changed, weight)
    again.add_adapter("b", "lora")
    again.merge_adapter("b")
    again.reset_adapter()
    assert torch.equal(numbers(again, "bert", 0, "attn.q").weight, changed)


def test_copies_keep_what_is_merged_and_can_take_it_out() -> None:
    model = prepared("bert", a="lora", b="ia3")
    model.merge_adapter(["a", "b"])
    twin = copy.deepcopy(model)
    assert torch.equal(output(twin), output(model))
    twin.reset_adapter()
    assert torch.equal(output(twin), output(build("bert")))
    assert not torch.equal(output(model), output(twin))
