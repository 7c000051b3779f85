"""LoRA and its kin."""

import torch

from tests.interop.adapters_cases.defects.registry import (
    apart,
    defect,
    hidden,
    inputs,
    member,
    model,
    states,
)
from tests.interop.adapters_cases.peer import adapters, transformers
from tests.interop.recording import ADAPTER_NOISE, add_noise


def _query(made: adapters) -> torch.nn.Module:
    return made.base_model.encoder.layer[0].attention.self.query


@defect("vera_is_dense", "Trained numbers of VeRA (r 4) on one 32 by 32 linear.", 4 + 32)
def _vera() -> float:
    vera = _query(model("bert", v=adapters.VeraConfig(r=4, alpha=4))).loras["v"]
    return sum(value.numel() for value in vera.parameters())


@defect(
    "vera_crashes_with_grouped_heads", "VeRA on LLaMA, whose values are narrower than its queries.", "runs"
)
def _vera_llama() -> float:
    made = model("llama", v=adapters.VeraConfig(r=4, alpha=4))
    return float(hidden(made, inputs("llama"), "v").norm())


@defect("vera_crashes_on_gpt2", "VeRA on GPT-2's fused projection.", "runs")
def _vera_gpt2() -> float:
    return float(hidden(model("gpt2", v=adapters.VeraConfig(r=4, alpha=4)), inputs("gpt2"), "v").norm())


@defect("dora_crashes_on_gpt2", "DoRA on GPT-2's fused projection.", "runs")
def _dora_gpt2() -> float:
    return float(hidden(model("gpt2", d=adapters.DoRAConfig(r=4)), inputs("gpt2"), "d").norm())


@defect(
    "dora_norm_ignores_scaling", "DoRA with alpha 8, r 4: distance of one linear to m (W + 2BA) / norm.", 0.0
)
def _dora_norm() -> float:
    made, given = model("bert", d=adapters.DoRAConfig(r=4, alpha=8)), states()
    query, made.active_adapters = _query(made), "d"
    lora = query.loras["d"]
    weight = query.weight + 2.0 * lora.lora_B @ lora.lora_A
    scale = lora.m.weight / weight.norm(dim=1, keepdim=True)
    return apart(query(given), torch.nn.functional.linear(given, scale * weight, query.bias))


@defect("dora_scales_the_bias", "DoRA with a zero LoRA and doubled magnitude: distance to 2 Wx + bias.", 0.0)
def _dora_bias() -> float:
    made = model("bert")
    made.add_adapter("d", adapters.DoRAConfig(r=4), set_active=True)
    made.double().eval()
    query, given = _query(made), states()
    with torch.no_grad():
        query.loras["d"].m.weight.mul_(2.0)
    return apart(query(given), torch.nn.functional.linear(given, 2.0 * query.weight, query.bias))


@defect(
    "dora_merge_differs", "DoRA with alpha 8, r 4: hidden states after merge_adapter against before.", 0.0
)
def _dora_merge() -> float:
    made = model("bert", d=adapters.DoRAConfig(r=4, alpha=8))
    before = hidden(made, inputs("bert"), "d")
    made.merge_adapter("d")
    return apart(hidden(made, inputs("bert"), "d"), before)


@defect(
    "dora_reset_keeps_the_merge",
    "A linear's weight after merge_adapter and reset_adapter against before.",
    0.0,
)
def _dora_reset() -> float:
    made = model("bert", d=adapters.DoRAConfig(r=4))
    before = _query(made).weight.clone()
    made.merge_adapter("d")
    made.reset_adapter()
    return apart(_query(made).weight, before)


@defect(
    "llama_intermediate_lora_misses_up_proj", "intermediate_lora alone on LLaMA: up projections adapted.", 2
)
def _llama_up() -> float:
    config = adapters.LoRAConfig(selfattn_lora=False, intermediate_lora=True)
    return sum("up_proj.loras" in name and "lora_A" in name for name in _names("llama", config))


@defect("llama_gate_never_adapted", "All LoRA switches on LLaMA: gate and output projections adapted.", 4)
def _llama_gate() -> float:
    config = adapters.LoRAConfig(attn_matrices=["q", "k", "v", "o"], intermediate_lora=True, output_lora=True)
    found = [name for name in _names("llama", config) if "lora_A" in name]
    return sum("gate_proj" in name or "o_proj" in name for name in found)


@defect(
    "gated_t5_adapts_one_of_two", "intermediate_lora on a gated T5 of 4 blocks: input projections adapted.", 8
)
def _t5_gate() -> float:
    config = adapters.LoRAConfig(selfattn_lora=False, intermediate_lora=True)
    return sum("lora_A" in name for name in _names("t5-gated", config))


def _names(family: str, config: object) -> list[str]:
    return [name for name, _ in model(family, a=config).named_parameters()]


@defect("ia3_scales_before_the_activation", "IA3 on BERT's feed-forward: distance to l * gelu(Wx).", 0.0)
def _ia3() -> float:
    made, given = model("bert", a=adapters.IA3Config()), states()
    made.set_active_adapters("a")
    up = made.base_model.encoder.layer[0].intermediate
    plain = torch.nn.functional.linear(given, up.dense.weight, up.dense.bias)
    return apart(up(given), up.dense.loras["a"].lora_B.view(-1) * torch.nn.functional.gelu(plain))


@defect("mtl_lora_linear_crashes", "MTL-LoRA with task_specific_matrix_type='linear'.", "runs")
def _mtl_linear() -> float:
    model("bert", a=adapters.MTLLoRAConfig(task_specific_matrix_type="linear"))
    return 0.0


@defect(
    "deberta_query_lora_hits_other_rows", "LoRA on q of DeBERTa: share of changed rows that are queries.", 1.0
)
def _deberta() -> float:
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 48}
    made = adapters.AutoAdapterModel.from_config(
        transformers.DebertaConfig(vocab_size=60, relative_attention=True, pos_att_type=["c2p"], **sizes)
    )
    made.add_adapter("a", adapters.LoRAConfig(attn_matrices=["q"]), set_active=True)
    made.double().eval()
    joint = made.base_model.encoder.layer[0].attention.self.in_proj
    add_noise(dict(joint.loras.named_parameters()), ADAPTER_NOISE, "a")
    given = states()
    moved = joint(given) - torch.nn.functional.linear(given, joint.weight, joint.bias)
    rows = [row for row in range(96) if float(moved[..., row].abs().max()) > 0]
    # The model reads this product head by head: 8 queries, 8 keys and 8 values for each of the 4 heads.
    return sum(row % 24 < 8 for row in rows) / len(rows)


@defect("direft_hash_is_norefts", "Whether DiReFT and NoReFT have one configuration hash, as 1 or 0.", 0)
def _hash() -> float:
    digest = adapters.utils.get_adapter_config_hash
    return int(digest(adapters.DiReftConfig().to_dict()) == digest(adapters.NoReftConfig().to_dict()))


@defect("reft_crashes_on_unequal_lengths", "ReFT on BART with 7 source and 5 target tokens.", "runs")
def _reft() -> float:
    made = model("bart", a=adapters.LoReftConfig(suffix_positions=1))
    return float(hidden(made, inputs("bart", "padded"), "a").norm())


@defect(
    "reft_suffix_longer_than_the_text",
    "NoReFT with 1 first and 9 last positions of 7 tokens: distance to one with 7 last positions.",
    0.0,
)
def _reft_suffix() -> float:
    found = []
    for suffix in (9, 7):
        config = adapters.NoReftConfig(r=2, prefix_positions=1, suffix_positions=suffix)
        found.append(hidden(model("bert", a=config), inputs("bert"), "a"))
    return apart(*found)


@defect(
    "glow_crashes", "seq_bn with inv_adapter='glow' on BERT: its forward slices tokens, not features.", "runs"
)
def _glow() -> float:
    made = model("bert", a=adapters.SeqBnInvConfig(inv_adapter="glow"))
    return float(hidden(made, inputs("bert"), "a").norm())


@defect(
    "init_makes_training_modules",
    "ReFT added to a model in evaluation mode: its modules in training mode.",
    0,
)
def _training() -> float:
    made = transformers.BertModel(model("bert").config).eval()
    adapters.init(made)
    made.add_adapter("a", adapters.LoReftConfig())
    return sum(part.training for name, part in made.named_modules() if "refts.a" in name)


@defect("fused_lora_average_not_tried", "average_adapter over LoRAs by delta_w SVD on GPT-2.", "runs")
def _svd() -> float:
    made = model("gpt2", lora_a=member("lora_a"), lora_b=member("lora_b"))
    made.average_adapter("m", ["lora_a", "lora_b"], combine_strategy="lora_delta_w_svd", svd_rank=2)
    return 0.0
