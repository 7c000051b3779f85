"""How methods are named and coloured: one hue per family, the same in chips, charts and glyphs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class MethodLook:
    """`label` is what a person says; `hue` is the CSS class `hue-…` of assets/css/tokens.css."""

    label: str
    hue: str


_LOOKS: Final[dict[str, MethodLook]] = {
    "lora": MethodLook("LoRA", "lora"),
    "dora": MethodLook("DoRA", "lora"),
    "vera": MethodLook("VeRA", "lora"),
    "dvora": MethodLook("DVoRA", "lora"),
    "mtl_lora": MethodLook("MTL-LoRA", "lora"),
    "adalora": MethodLook("AdaLoRA", "lora"),
    "loha": MethodLook("LoHa", "lora"),
    "lokr": MethodLook("LoKr", "lora"),
    "hira": MethodLook("HiRA", "lora"),
    "fourierft": MethodLook("FourierFT", "lora"),
    "bottleneck": MethodLook("Bottleneck", "bottleneck"),
    "seq_bn": MethodLook("Sequential bottleneck", "bottleneck"),
    "double_seq_bn": MethodLook("Double bottleneck", "bottleneck"),
    "par_bn": MethodLook("Parallel bottleneck", "bottleneck"),
    "scaled_par_bn": MethodLook("Scaled parallel bottleneck", "bottleneck"),
    "adapter_plus": MethodLook("Adapter+", "bottleneck"),
    "seq_bn_inv": MethodLook("Sequential bottleneck, invertible", "bottleneck"),
    "double_seq_bn_inv": MethodLook("Double bottleneck, invertible", "bottleneck"),
    "compacter": MethodLook("Compacter", "bottleneck"),
    "compacter++": MethodLook("Compacter++", "bottleneck"),
    "nice": MethodLook("Invertible (NICE)", "bottleneck"),
    "glow": MethodLook("Invertible (GLOW)", "bottleneck"),
    "prefix_tuning": MethodLook("Prefix tuning", "prefix"),
    "prefix_tuning_flat": MethodLook("Prefix tuning, flat", "prefix"),
    "prompt_tuning": MethodLook("Prompt tuning", "prefix"),
    "p_tuning": MethodLook("P-tuning", "prefix"),
    "trainable_tokens": MethodLook("Trainable tokens", "prefix"),
    "loreft": MethodLook("LoReFT", "reft"),
    "noreft": MethodLook("NoReFT", "reft"),
    "direft": MethodLook("DiReFT", "reft"),
    "oft": MethodLook("OFT", "reft"),
    "boft": MethodLook("BOFT", "reft"),
    "hra": MethodLook("HRA", "reft"),
    "ia3": MethodLook("IA³", "scaling"),
    "bitfit": MethodLook("BitFit", "scaling"),
    "norm_tuning": MethodLook("Norm tuning", "scaling"),
    "mam": MethodLook("Mix-and-match", "union"),
    "unipelt": MethodLook("UniPELT", "union"),
    "union": MethodLook("Union", "union"),
}


def method_look(name: str) -> MethodLook:
    """The look of a registered or preset method name; an unknown one keeps its name and a neutral hue."""
    if "|" in name:
        return MethodLook(" + ".join(method_look(member).label for member in name.split("|")), "union")
    return _LOOKS.get(name, MethodLook(name or "unknown method", "none"))
