"""Step 7: the adapter does something, the same thing every time, and nothing that is no number."""

from typing import Any

import torch
from torch import Tensor

from hubsite.validation.steps import StepName
from workers.checks.load import NAME
from workers.loaded import LoadedBackbone
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject

_TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "It was the best of times, it was the worst of times.",
    "42",
    "Please call me tomorrow, I have not slept at all since the film ended and I loved every minute of it!",
)


def effect(subject: Subject, report: Report) -> None:
    """Compare the last hidden states of the bare model, of the model with the adapter, and of that again."""
    backbone = subject.backbone
    bare = _hidden(backbone)
    adapted, again = _hidden(backbone, adapter=True), _hidden(backbone, adapter=True)
    if not bool(torch.isfinite(adapted).all()):
        report.error("effect.not_finite")
        return
    if not torch.equal(adapted, again):
        report.error("effect.not_deterministic")
    difference = float((adapted - bare).abs().max())
    if difference == 0.0:
        report.error("effect.none")
    report.log(
        f"largest change of a hidden value: {difference:.3g} (values up to {float(bare.abs().max()):.3g})"
    )


@torch.inference_mode()
def _hidden(backbone: LoadedBackbone, *, adapter: bool = False) -> Tensor:
    """Hidden states [texts, tokens, width] of a few fixed texts, padding set to zero."""
    model: Any = backbone.model
    model.set_active_adapters(NAME if adapter else None, head=None)
    inputs = backbone.tokenizer(list(_TEXTS), padding=True, return_tensors="pt").to(backbone.device)
    states: Tensor = model(**inputs).last_hidden_state
    mask: Tensor = inputs["attention_mask"]
    return states * mask.unsqueeze(-1)


register(StepName.EFFECT, Phase.MODEL, effect)
