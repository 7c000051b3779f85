"""What a model multiplies its states by in front of its output embeddings."""

from typing import Any

# These scale wherever input and output embeddings are tied.
_SCALED_IF_TIED = ("umt5", "switch_transformers", "udop")


def output_scale(config: Any) -> float:
    """The factor of the model's own head; 1.0 for most.

    T5 (Raffel et al. 2020) divides by the square root of the width where the embeddings are tied.
    """
    is_tied = config.model_type in _SCALED_IF_TIED and getattr(config, "tie_word_embeddings", False)
    if getattr(config, "scale_decoder_outputs", is_tied):
        return float(config.d_model**-0.5)
    divisor = getattr(config, "logits_scaling", None)
    if isinstance(divisor, int | float):
        return 1 / divisor
    factor = getattr(config, "logit_scale", None)
    return float(factor) if isinstance(factor, int | float) else 1.0
