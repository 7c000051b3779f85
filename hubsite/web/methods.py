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
    "bottleneck": MethodLook("Bottleneck", "bottleneck"),
    "seq_bn": MethodLook("Sequential bottleneck", "bottleneck"),
    "double_seq_bn": MethodLook("Double bottleneck", "bottleneck"),
    "par_bn": MethodLook("Parallel bottleneck", "bottleneck"),
    "prefix_tuning": MethodLook("Prefix tuning", "prefix"),
    "prompt_tuning": MethodLook("Prompt tuning", "prefix"),
    "loreft": MethodLook("LoReFT", "reft"),
    "ia3": MethodLook("IA³", "scaling"),
    "mam": MethodLook("Mix-and-match", "union"),
}


def method_look(name: str) -> MethodLook:
    """The look of a registered or preset method name; an unknown one keeps its name and a neutral hue."""
    return _LOOKS.get(name, MethodLook(name or "unknown method", "none"))
