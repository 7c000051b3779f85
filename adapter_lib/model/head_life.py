"""Putting any head on a model."""

from adapter_lib.heads import refusal, shares_of
from adapter_lib.model.activation import Activation
from adapter_lib.points import like_of
from adapter_lib.spec.composition import check_adapter_name
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.heads import HeadSpec


class HeadLife(Activation):
    """What adding any head is."""

    def _add_head(self, name: str, spec: HeadSpec, *, overwrite: bool) -> None:
        """Add a head as described; active at once where its adapter is.

        Raises AttachError for a name that exists, or a head that makes no sense on this model.
        """
        check_adapter_name(name)
        runtime = self.adapter_runtime
        if not runtime.heads.hidden_size:
            raise AttachError(
                f"{type(self).__name__} has no config that tells a hidden size, so it takes no head."
            )
        sentence = refusal(self, runtime.injection.atlas.resolved, spec.type)
        if sentence:
            raise AttachError(sentence)
        if name in runtime.heads.names() and not overwrite:
            raise AttachError(f"There is a head {name!r} already; overwrite=True replaces it.")
        runtime.heads.add(name, spec, like_of(self))
        self._note_keys()
        block = runtime.injection.block
        if block is not None and len(shares_of(block)) == 1 and name in block.names():
            runtime.active_heads = runtime.heads.of_composition(block)
