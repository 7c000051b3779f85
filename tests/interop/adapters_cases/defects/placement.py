"""Where adapters sit."""

from typing import Any

import torch

from tests.interop.adapters_cases.defects.registry import (
    apart,
    defect,
    hidden,
    inputs,
    model,
)
from tests.interop.adapters_cases.peer import adapters, transformers


def _albert(swapped: bool) -> float:
    made = model("albert", a=adapters.DoubleSeqBnConfig(reduction_factor=8))
    attention = made.base_model.encoder.albert_layer_groups[0].albert_layers[0].attention
    seen: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    inner: list[torch.Tensor] = []
    attention.dense.register_forward_hook(lambda _module, _args, output: inner.append(output))
    attention.register_forward_hook(
        lambda _module, args, output: seen.append((args[0], inner[-1], output[0]))
    )
    hidden(made, inputs("albert"), "a")
    given, raw, output = seen[0]
    adapted, other = (given, raw) if swapped else (raw, given)
    adapter = attention.attention_adapters.adapters["a"]
    up = adapter.adapter_up(adapter.adapter_down(adapted))
    return apart(output, attention.LayerNorm(up + adapted + other))


@defect(
    "albert_swaps_attention_and_residual",
    "Houlsby in ALBERT's attention: distance to LN(up(f(down(u))) + u + x), u the attention output.",
    0.0,
)
def _albert_right() -> float:
    return _albert(swapped=False)


@defect(
    "albert_swaps_attention_and_residual_swapped",
    "The same with u and x swapped, which is what the peer computes.",
    "> 0",
)
def _albert_swapped() -> float:
    return _albert(swapped=True)


@defect(
    "whisper_inverts_after_the_encoder",
    "Whisper with seq_bn_inv: change of the first encoder layer's input that the invertible adapter makes.",
    "> 0",
)
def _whisper() -> float:
    made = model("whisper", a=adapters.SeqBnInvConfig())
    seen: list[torch.Tensor] = []
    made.base_model.encoder.layers[0].register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    hidden(made, inputs("whisper"))
    hidden(made, inputs("whisper"), "a")
    return apart(*seen)


@defect("clip_reft_crashes", "ReFT with a suffix on CLIP, whose towers have 7 and 5 positions.", "runs")
def _clip() -> float:
    made = model("clip", a=adapters.LoReftConfig(suffix_positions=1)).float()
    made.set_active_adapters("a")
    given = {
        name: value.float() if value.is_floating_point() else value for name, value in inputs("clip").items()
    }
    return float(made(**given).logits_per_image.norm())


@defect("post_add_crashes_before_a_norm", "residual_before_ln='post_add' on GPT-2, a pre-norm model.", "runs")
def _post_add() -> float:
    made = model("gpt2", a=adapters.SeqBnConfig(residual_before_ln="post_add"))
    return float(hidden(made, inputs("gpt2"), "a").norm())


def _decoder() -> Any:
    config = model("bert-generation").config
    config.is_decoder = True
    return adapters.AutoAdapterModel.from_config(config).double().eval()


@defect("bert_generation_decoder_crashes", "BertGeneration as a decoder with a bottleneck.", "runs")
def _generation() -> float:
    made = _decoder()
    made.add_adapter("a", adapters.SeqBnConfig())
    made.double().eval()
    return float(hidden(made, inputs("bert-generation"), "a").norm())


@defect("integer_scaling_refused", "seq_bn with scaling=2, an integer.", "runs")
def _scaling() -> float:
    model("bert", a=adapters.SeqBnConfig(scaling=2))
    return 0.0


@defect("drop_path_needs_torchvision", "AdapterPlus as it comes, without torchvision.", "runs")
def _drop_path() -> float:
    model("bert", a=adapters.AdapterPlusConfig())
    return 0.0


@defect(
    "init_moves_deberta",
    "DebertaModel: change of its hidden states by adapters.init alone, no adapter added.",
    0.0,
)
def _deberta() -> float:
    config = transformers.DebertaConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        relative_attention=True,
        pos_att_type=["c2p", "p2c"],
        initializer_range=0.2,
    )
    torch.manual_seed(0)
    made = transformers.DebertaModel(config).double().eval()
    given = inputs("bert")
    with torch.no_grad():
        before = made(**given).last_hidden_state
        adapters.init(made)
        return apart(made.double().eval()(**given).last_hidden_state, before)


@defect(
    "plug_in_hooks_bind_late", "Gemma 2 with 2 layers: feed-forward hooks that use their own layer's norm.", 2
)
def _late() -> float:
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    made = transformers.Gemma2Model(
        transformers.Gemma2Config(vocab_size=60, num_key_value_heads=2, head_dim=8, **sizes)
    )
    adapters.init(made)
    found = 0
    for layer in made.layers:
        (hook,) = layer.mlp.down_proj._forward_hooks.values()
        found += hook.args[1]() is layer.post_feedforward_layernorm
    return found
