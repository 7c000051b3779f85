"""The methods the contract runs over: every preset, small enough for tiny models."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MethodCase:
    """One way to configure a method.

    fresh_is_base: a fresh adapter changes nothing. is_mergeable: it can be added to the weights.
    is_gated: a gate looks at all tokens of an adapter at once, so that cutting the sequence changes it.
    """

    name: str
    config: str
    fresh_is_base: bool = True
    is_mergeable: bool = False
    is_gated: bool = False


METHODS: dict[str, MethodCase] = {
    case.name: case
    for case in (
        MethodCase("lora", "lora[r=4, alpha=8]", is_mergeable=True),
        MethodCase("lora-all", "lora[r=3, targets=all-linear]", is_mergeable=True),
        MethodCase("lora-gated", "lora[r=4, use_gating=true]", is_gated=True),
        MethodCase("lora-pissa", "lora[r=4, init_weights=pissa]", is_mergeable=True),
        MethodCase("lora-olora", "lora[r=4, init_weights=olora]", is_mergeable=True),
        MethodCase("dora", "dora[r=4]", is_mergeable=True),
        MethodCase("vera", "vera[r=16]", is_mergeable=True),
        MethodCase("dvora", "dvora[r=16]", is_mergeable=True),
        MethodCase("mtl_lora", "mtl_lora[r=4, n_up_projection=2]", is_mergeable=True),
        MethodCase("adalora", "adalora[init_r=4, target_r=2]", is_mergeable=True),
        MethodCase("loha", "loha[r=3]", is_mergeable=True),
        MethodCase("lokr", "lokr[r=2]", is_mergeable=True),
        MethodCase("hira", "hira[r=3]", is_mergeable=True),
        MethodCase("oft", "oft[block_size=8]", is_mergeable=True),
        MethodCase("boft", "boft", is_mergeable=True),
        MethodCase("hra", "hra[r=4]", is_mergeable=True),
        MethodCase("fourierft", "fourierft[n_frequency=60]", is_mergeable=True),
        MethodCase("ia3", "ia3", is_mergeable=True),
        MethodCase("bitfit", "bitfit[add_missing=true]"),
        MethodCase("norm_tuning", "norm_tuning", is_mergeable=True),
        MethodCase("trainable_tokens", f"trainable_tokens[token_indices={list(range(5, 60))}]"),
        MethodCase("seq_bn", "seq_bn", fresh_is_base=False),
        MethodCase("double_seq_bn", "double_seq_bn", fresh_is_base=False),
        MethodCase("par_bn", "par_bn"),
        MethodCase("scaled_par_bn", "scaled_par_bn"),
        MethodCase("adapter_plus", "adapter_plus[reduction_factor=8]", fresh_is_base=False),
        MethodCase("seq_bn-gated", "seq_bn[use_gating=true]", fresh_is_base=False, is_gated=True),
        MethodCase("compacter", "compacter[reduction_factor=4]", fresh_is_base=False),
        MethodCase("compacter++", "compacter++[reduction_factor=4]", fresh_is_base=False),
        MethodCase("nice", "nice", fresh_is_base=False),
        MethodCase("glow", "glow", fresh_is_base=False),
        MethodCase("seq_bn_inv", "seq_bn_inv", fresh_is_base=False),
        MethodCase("prefix_tuning", "prefix_tuning[prefix_length=4, bottleneck_size=8]", fresh_is_base=False),
        MethodCase("prefix_tuning_flat", "prefix_tuning_flat[prefix_length=4]", fresh_is_base=False),
        MethodCase("prompt_tuning", "prompt_tuning[prompt_length=4]", fresh_is_base=False),
        MethodCase("p_tuning", "p_tuning[prompt_length=4, hidden_size=8]", fresh_is_base=False),
        MethodCase("loreft", "loreft[r=2]", fresh_is_base=False),
        MethodCase("noreft", "noreft[r=2]", fresh_is_base=False),
        MethodCase("direft", "direft[r=2]", fresh_is_base=False),
        MethodCase("mam", "mam", fresh_is_base=False),
        MethodCase("unipelt", "unipelt", fresh_is_base=False, is_gated=True),
    )
}
