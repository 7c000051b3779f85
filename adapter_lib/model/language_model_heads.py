"""Adding heads over the vocabulary."""

from typing import Any

from adapter_lib.heads import output_scale
from adapter_lib.model.adding_heads import AddingHeads
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.heads import CausalLMSpec, MaskedLMSpec, Seq2SeqLMSpec, checked


class LanguageModelHeads(AddingHeads):
    """Their output embeddings are the model's input embeddings, or their own."""

    def add_masked_lm_head(
        self,
        name: str,
        *,
        tied: bool = True,
        transform: bool = True,
        activation: str = "gelu",
        use_bias: bool = True,
        norm_eps: float = 1e-12,
        overwrite: bool = False,
    ) -> None:
        """Add a head that predicts masked tokens; labels of a call are [B, S], -100 where nothing is masked.

        tied: the output embeddings are the model's input embeddings, and not saved with the head.
        transform: a linear layer, the activation and a LayerNorm with norm_eps stand in front of them.
        """
        shape = self._vocabulary(tied=tied)
        spec = MaskedLMSpec(
            **shape, transform=transform, activation=activation, use_bias=use_bias, norm_eps=norm_eps
        )
        self._add_head(name, checked(spec), overwrite=overwrite)

    def add_causal_lm_head(
        self,
        name: str,
        *,
        tied: bool = True,
        transform: bool = False,
        activation: str = "gelu",
        use_bias: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Add a head that predicts the next token; labels of a call are its input_ids, -100 ignored.

        `generate` uses it where the model's class can generate. tied, transform: as of a masked-LM head.
        """
        shape = self._vocabulary(tied=tied)
        spec = CausalLMSpec(**shape, transform=transform, activation=activation, use_bias=use_bias)
        self._add_head(name, checked(spec), overwrite=overwrite)

    def add_seq2seq_lm_head(
        self, name: str, *, tied: bool = True, use_bias: bool = False, overwrite: bool = False
    ) -> None:
        """Add a head that predicts the next token of the output; labels of a call are the output's tokens.

        The decoder's inputs are the labels, one to the right, where a call has none. `generate` uses it.
        tied: as of a masked-LM head.
        """
        shape = self._vocabulary(tied=tied)
        self._add_head(name, checked(Seq2SeqLMSpec(**shape, use_bias=use_bias)), overwrite=overwrite)

    def _vocabulary(self, *, tied: bool) -> dict[str, Any]:
        """What a description says of the vocabulary. Raises AttachError for a model without one."""
        get: Any = getattr(self, "get_input_embeddings", None)
        try:
            table = getattr(get(), "weight", None) if get is not None else None
        except NotImplementedError:
            table = None
        if table is None or table.dim() != 2:
            raise AttachError(f"{type(self).__name__} has no input embeddings, so no vocabulary for a head.")
        size, width = table.shape
        hidden = self.adapter_runtime.heads.hidden_size
        own = width if tied and width != hidden else None
        scale = output_scale(getattr(self, "config", None)) if tied else 1.0
        return {"vocab_size": size, "tied": tied, "width": own, "scale": scale}
