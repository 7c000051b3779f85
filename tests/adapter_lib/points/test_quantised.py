"""Adapters on linear maps that bitsandbytes or torchao have packed; skipped where neither is installed."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor, nn

import adapter_lib
from adapter_lib import AdapterSetup, Parallel, Stack
from adapter_lib.points import quantised
from adapter_lib.spec.errors import AttachError
from adapter_lib.training import loftq_start
from tests.adapter_lib.tiny import VOCABULARY, inputs, output, shake

# The libraries warn of casts and of their own deprecations.
pytestmark = pytest.mark.filterwarnings("ignore")


def _load(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"{name} (extra `quantised`) is not installed")


def _eight_bit(linear: nn.Linear) -> nn.Module:
    bnb = _load("bitsandbytes")
    return _filled(bnb.nn.Linear8bitLt(*_widths(linear), has_fp16_weights=False, threshold=0.0), linear)


def _four_bit(linear: nn.Linear) -> nn.Module:
    bnb = _load("bitsandbytes")
    return _filled(bnb.nn.Linear4bit(*_widths(linear), quant_type="nf4", compute_dtype=torch.float32), linear)


def _torchao(linear: nn.Linear) -> nn.Module:
    library = _load("torchao.quantization")
    holder = nn.Sequential(copy.deepcopy(linear))
    library.quantize_(holder, library.Int8WeightOnlyConfig())
    return holder[0]


def _widths(linear: nn.Linear) -> tuple[int, int, bool]:
    return linear.in_features, linear.out_features, linear.bias is not None


def _filled(packed: Any, linear: nn.Linear) -> nn.Module:
    packed.load_state_dict(linear.state_dict())
    found: nn.Module = packed.to("cpu")
    return found


# How far a packed product may be from that of the dequantised weight: 8-bit products round the input too, and
# some CPUs multiply 4-bit weights in bfloat16.
KINDS: dict[str, tuple[Callable[[nn.Linear], nn.Module], float]] = {
    "bitsandbytes-8-bit": (_eight_bit, 0.1),
    "bitsandbytes-4-bit": (_four_bit, 0.05),
    "torchao-int8": (_torchao, 1e-4),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def _wide() -> Any:
    """A BERT as wide as bitsandbytes' blocks."""
    torch.manual_seed(7)
    sizes = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    return hf.BertModel(hf.BertConfig(**sizes, vocab_size=VOCABULARY, initializer_range=0.1)).eval()


def _quantised(kind: str) -> Any:
    """A tiny BERT whose queries, values and second feed-forward maps are packed."""
    base: Any = _wide()
    for layer in base.encoder.layer:
        attention = layer.attention.self
        attention.query, attention.value = KINDS[kind][0](attention.query), KINDS[kind][0](attention.value)
        layer.output.dense = KINDS[kind][0](layer.output.dense)
    return base


def _model(kind: str, **adapters: str) -> Any:
    model: Any = adapter_lib.init(_quantised(kind))
    for name, config in adapters.items():
        model.add_adapter(name, config)
        shake(model, name)
    return model


def _unpacked(kind: str) -> Any:
    """The same model with what the packed weights stand for as plain numbers."""
    base, packed = _wide(), _quantised(kind)
    for path, module in packed.named_modules():
        weight = quantised.dequantised(module)
        if weight is not None:
            base.get_submodule(path).weight.data.copy_(weight)
    return base


@each_kind
def test_what_a_packed_weight_stands_for_is_known(kind: str) -> None:
    linear = nn.Linear(64, 128)
    packed = KINDS[kind][0](linear)
    weight = quantised.dequantised(packed)
    assert weight is not None
    assert weight.shape == (128, 64)
    assert 0 < (weight - linear.weight).abs().max() < 0.05
    x = torch.randn(5, 64)
    torch.testing.assert_close(
        packed(x), x @ weight.T + linear.bias, atol=KINDS[kind][1], rtol=0, check_dtype=False
    )
    # 8-bit codes move once the module has run, and 4-bit ones may be laid out anew.
    again = quantised.dequantised(packed.eval())
    packed(x)
    for later in (again, quantised.dequantised(packed)):
        torch.testing.assert_close(later, weight, atol=2e-3, rtol=0, check_dtype=False)


@each_kind
@pytest.mark.parametrize(
    "config", ["lora[r=4, targets=[q, v, down]]", "dora[r=4, targets=[q, v, down]]", "vera[r=8]"]
)
def test_forward_and_backward_are_those_of_the_unpacked_weights(kind: str, config: str) -> None:
    packed, plain = _model(kind, one=config), adapter_lib.init(_unpacked(kind))
    plain.add_adapter("one", config)
    shake(plain, "one")
    grads = []
    for model in (packed, plain):
        for part in model.adapter_runtime.injection.members("one"):
            if hasattr(part, "magnitude"):
                with torch.no_grad():
                    part.magnitude.fill_(1.5)
        model.train_adapter("one")
        model.eval()
        # Not the norm: layer norms keep that.
        model(**inputs()).last_hidden_state[..., :9].sum().backward()
        grads.append(torch.cat([p.grad.flatten() for p in model.adapter_runtime.injection.trained("one")]))
    within = KINDS[kind][1]
    torch.testing.assert_close(output(packed), output(plain), atol=5 * within, rtol=0)
    assert (grads[0] - grads[1]).norm() < 2 * within * grads[1].norm()


@each_kind
@pytest.mark.parametrize("config", ["lora[init_weights=pissa, r=4]", "lora[r=4]", "dora[r=4]"])
def test_a_fresh_adapter_is_the_packed_base(kind: str, config: str) -> None:
    base = output(_quantised(kind))
    model: Any = adapter_lib.init(_quantised(kind))
    model.add_adapter("one", config)
    model.active_adapters = "one"
    torch.testing.assert_close(output(model), base, atol=2e-5, rtol=0)


@each_kind
def test_blocks_files_and_copies_work(kind: str, tmp_path: Any) -> None:
    model = _model(kind, a="lora[r=4]", b="dora[r=2]")
    alone: list[Tensor] = []
    for name in ("a", "b"):
        with AdapterSetup(model, name):
            alone.append(output(model))
    with AdapterSetup(model, Parallel("a", "b")):
        torch.testing.assert_close(output(model), torch.cat(alone), atol=5 * KINDS[kind][1], rtol=0)
    model.save_adapter(tmp_path / "a", "a")
    fresh: Any = adapter_lib.init(_quantised(kind))
    fresh.load_adapter(tmp_path / "a")
    fresh.active_adapters = "a"
    torch.testing.assert_close(output(fresh), alone[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(output(copy.deepcopy(fresh)), alone[0], atol=1e-6, rtol=0)


@each_kind
@pytest.mark.parametrize(
    "config", ["lora[r=4]", "dora[r=4]", "ia3", "oft[block_size=8]", "lora[targets=down]"]
)
def test_merging_is_refused_with_the_reason(kind: str, config: str) -> None:
    model = _model(kind, one=config)
    before = output(model)
    with pytest.raises(AttachError, match=r"is not plain numbers .*quantised.*: nothing can be merged"):
        model.merge_adapter("one")
    # What is not packed was not changed either: IA3's keys are plain.
    assert torch.equal(output(model), before)


@each_kind
def test_updates_over_packed_weights_become_loras_with_their_error(kind: str) -> None:
    model = _model(kind, a="lora[r=4]", b="dora[r=2]", c="ia3")
    for layer in model.encoder.layer:
        layer.attention.self.key.bias.data.zero_()
        layer.attention.self.value.bias.data.zero_()
    within = 5 * KINDS[kind][1]
    for names in (("a", "b"), ("a",), ("c",)):
        report = model.combine_adapters("sum", list(names), overwrite=True)
        assert report.error < 1e-5
        with AdapterSetup(model, Stack(*names)):
            expected = output(model)
        with AdapterSetup(model, "sum"):
            torch.testing.assert_close(output(model), expected, atol=within, rtol=0)
    report = model.to_lora("b", "small", rank=4)
    assert 1e-3 < report.error < 1


@each_kind
def test_loftq_brings_the_packed_base_nearer_to_what_it_was(kind: str) -> None:
    model: Any = adapter_lib.init(_quantised(kind))
    model.add_adapter("one", "lora[r=8, init_weights=loftq, targets=[q, v, down]]")
    report = loftq_start(model, "one", _wide().state_dict())
    assert 0 < report.after < 0.85 * report.before


def test_a_packed_map_without_numbers_lends_float32() -> None:
    packed = _four_bit(nn.Linear(8, 8, bias=False))
    assert quantised.like(packed).dtype == torch.float32
    assert quantised.like(nn.Linear(8, 8).double()).dtype == torch.float64
