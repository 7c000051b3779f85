"""Composition blocks."""

import torch

from tests.interop.adapters_cases.defects.registry import (
    add,
    apart,
    convolved_deberta,
    defect,
    family,
    hidden,
    inputs,
    member,
    model,
    states,
)
from tests.interop.adapters_cases.peer import adapters, composition, transformers


@defect(
    "average_divides_twice", "Average of two copies of one LoRA: its delta over that LoRA's own delta.", 1.0
)
def _average() -> float:
    made = model("bert")
    for name in ("a", "b"):
        add(made, name, member("lora_a"), seed="same")
    return _delta(made, composition.Average("a", "b")) / _delta(made, "a")


def _delta(made: adapters, setup: object) -> float:
    query, given = made.base_model.encoder.layer[0].attention.self.query, states()
    made.set_active_adapters(setup)
    return float((query(given) - torch.nn.functional.linear(given, query.weight, query.bias)).norm())


@defect(
    "stack_of_loras_multiplies", "Stack of LoRA a and b on one linear: distance to delta a + delta b.", 0.0
)
def _stack() -> float:
    made = model("bert", lora_a=member("lora_a"), lora_b=member("lora_b"))
    query, given = made.base_model.encoder.layer[0].attention.self.query, states()
    plain = torch.nn.functional.linear(given, query.weight, query.bias)
    deltas = {}
    for setup in ("lora_a", "lora_b", composition.Stack("lora_a", "lora_b")):
        made.set_active_adapters(setup)
        deltas[str(setup)] = query(given) - plain
    one, other, both = deltas.values()
    return apart(both, one + other)


@defect(
    "fresh_lora_erases_the_one_below",
    "Stack of a LoRA and a fresh one (B = 0): norm of the delta left.",
    "> 0",
)
def _erased() -> float:
    made = model("bert", lora_a=member("lora_a"))
    made.add_adapter("fresh", member("lora_a"))
    made.double().eval()
    return _delta(made, composition.Stack("lora_a", "fresh"))


@defect(
    "stack_of_loras_needs_square",
    "Stack of two LoRAs on LLaMA, whose values are narrower than its input.",
    "runs",
)
def _square() -> float:
    made = model("llama", lora_a=member("lora_a"), lora_b=member("lora_b"))
    return float(hidden(made, inputs("llama"), composition.Stack("lora_a", "lora_b")).norm())


@defect("mixed_parallel_crashes", "Parallel of a bottleneck and a LoRA on BERT.", "runs")
def _mixed() -> float:
    made = model("bert", bn_a=member("bn_a"), lora_a=member("lora_a"))
    return float(hidden(made, inputs("bert"), composition.Parallel("bn_a", "lora_a")).norm())


@defect("parallel_lora_eager_crashes", "Parallel of two LoRAs on q and v, BERT with eager attention.", "runs")
def _parallel_eager() -> float:
    made = model("bert", lora_a=member("lora_a"), lora_b=member("lora_b"))
    return float(hidden(made, inputs("bert"), composition.Parallel("lora_a", "lora_b")).norm())


@defect(
    "parallel_enlarges_the_callers_mask",
    "Parallel of two on DistilBERT with 3 rows: rows of the caller's own attention_mask afterwards.",
    3,
)
def _mask() -> float:
    config = family("distilbert").config()
    config._attn_implementation = "eager"
    made = transformers.DistilBertModel(config)
    adapters.init(made)
    add(made, "bn_a", member("bn_a"))
    add(made, "bn_b", member("bn_b"))
    given = inputs("distilbert")
    hidden(made, given, composition.Parallel("bn_a", "bn_b"))
    return given["attention_mask"].shape[0]


@defect("parallel_refused_on_beit", "Parallel of two bottlenecks on BEiT.", "runs")
def _beit() -> float:
    made = model("beit", bn_a=member("bn_a"), bn_b=member("bn_b"))
    return float(hidden(made, inputs("beit"), composition.Parallel("bn_a", "bn_b")).norm())


@defect("parallel_crashes_on_deberta_v2", "Parallel of two on DeBERTa-v2 with its convolution.", "runs")
def _deberta() -> float:
    made = convolved_deberta()
    add(made, "bn_a", member("bn_a"))
    add(made, "bn_b", member("bn_b"))
    return float(hidden(made, inputs("deberta-v2"), composition.Parallel("bn_a", "bn_b")).norm())


@defect("parallel_lora_crashes_on_mbart", "Parallel of two LoRAs on mBART.", "runs")
def _mbart() -> float:
    made = model("mbart", lora_a=member("lora_a"), lora_b=member("lora_b"))
    return float(hidden(made, inputs("mbart"), composition.Parallel("lora_a", "lora_b")).norm())


@defect("fused_qkv_lora_refuses_blocks", "Stack of two LoRAs on GPT-2.", "runs")
def _fused() -> float:
    made = model("gpt2", lora_a=member("lora_a"), lora_b=member("lora_b"))
    return float(hidden(made, inputs("gpt2"), composition.Stack("lora_a", "lora_b")).norm())


@defect(
    "nested_stack_in_parallel",
    "Parallel(Stack(a, b), c) on GPT-2: distance of its first rows to Stack(a, b) alone.",
    0.0,
)
def _nested() -> float:
    names = ("bn_a", "bn_b", "bn_c")
    made = model("gpt2", **{name: member(name) for name in names})
    stack = composition.Stack("bn_a", "bn_b")
    both = hidden(made, inputs("gpt2"), composition.Parallel(stack, "bn_c"))
    return apart(both[:3], hidden(made, inputs("gpt2"), stack))


@defect("nested_stack_in_parallel_post_norm", "The same on BERT.", 0.0)
def _nested_post_norm() -> float:
    names = ("bn_a", "bn_b", "bn_c")
    made = model("bert", **{name: member(name) for name in names})
    stack = composition.Stack("bn_a", "bn_b")
    both = hidden(made, inputs("bert"), composition.Parallel(stack, "bn_c"))
    return apart(both[:3], hidden(made, inputs("bert"), stack))


@defect(
    "fusion_temperature_decays_in_evaluation", "Temperature of a fusion lost in one evaluation forward.", 0.0
)
def _temperature() -> float:
    made = model("bert", bn_a=member("bn_a"), bn_b=member("bn_b"))
    made.add_adapter_fusion(["bn_a", "bn_b"], adapters.DynamicAdapterFusionConfig(temperature=True))
    made.double().eval()
    fusion = made.base_model.encoder.layer[0].output.adapter_fusion_layer["bn_a,bn_b"]
    before = fusion.T
    hidden(made, inputs("bert"), composition.Fuse("bn_a", "bn_b"))
    return before - fusion.T


@defect("equal_splits_differ", "Split(a, b, [1, 6]) == Split(a, b, [6, 1]), as 1 or 0.", 0)
def _equality() -> float:
    one, other = (composition.Split("a", "b", splits=parts) for parts in ([1, 6], [6, 1]))
    return int(one == other)


@defect("fuse_loses_its_name", "Fuse(a, b, name='mine') after to_dict and from_dict.", "mine")
def _name() -> str:
    block = composition.Fuse("a", "b", name="mine")
    return composition.Fuse.from_dict(block.to_dict()).name


@defect(
    "average_renormalises_on_reload",
    "Average with raw weights 0.5 and 2.0 after a round trip: the first.",
    0.5,
)
def _renormalised() -> float:
    block = composition.Average("a", "b", weights=[0.5, 2.0], normalize_weights=False)
    return composition.Average.from_dict(block.to_dict()).weights[0]


@defect(
    "average_adapter_refuses_a_dict", "average_adapter with {a: 1, b: 0}: distance of the result to a.", 0.0
)
def _dictionary() -> float:
    made = model("bert", bn_a=member("bn_a"), bn_b=member("bn_b"))
    made.average_adapter("mean", {"bn_a": 1.0, "bn_b": 0.0})
    made.double().eval()
    return apart(hidden(made, inputs("bert"), "mean"), hidden(made, inputs("bert"), "bn_a"))


@defect("prefix_average_not_implemented", "Average of two prefixes on BERT.", "runs")
def _prefix_average() -> float:
    made = model("bert", prefix_a=member("prefix_a"), prefix_b=member("prefix_b"))
    return float(hidden(made, inputs("bert"), composition.Average("prefix_a", "prefix_b")).norm())


@defect("static_head_skips_the_inverse", "GPT2LMHeadModel with seq_bn_inv: inverse passes in one forward.", 1)
def _inverse() -> float:
    made = transformers.GPT2LMHeadModel(model("gpt2").config)
    adapters.init(made)
    made.add_adapter("inv", adapters.SeqBnInvConfig(), set_active=True)
    calls: list[bool] = []
    block = made.base_model.invertible_adapters["inv"]
    block.register_forward_pre_hook(
        lambda _module, _args, kwargs: calls.append(bool(kwargs.get("rev"))), with_kwargs=True
    )
    made(input_ids=inputs("gpt2")["input_ids"])
    return sum(calls)
