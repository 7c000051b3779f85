"""Which adapters and heads act."""

from collections.abc import Iterable, Sequence

from adapter_lib.heads import shares_of
from adapter_lib.model.prepared import Composition, Prepared
from adapter_lib.spec.composition import Block, LearnedBlock, parse_composition
from adapter_lib.spec.errors import CompositionError, UnknownNameError, listing


class Activation(Prepared):
    """Choosing what acts."""

    @property
    def active_adapters(self) -> Block | None:
        """The composition that acts, or None.

        Set it to a name, a block or None; heads of the same names follow.
        """
        return self.adapter_runtime.injection.block

    @active_adapters.setter
    def active_adapters(self, composition: Composition) -> None:
        self.set_active_adapters(composition)

    def set_active_adapters(
        self,
        composition: Composition,
        *,
        head: str | Sequence[str] | None = "auto",
        skip_layers: Iterable[int] = (),
    ) -> None:
        """Let a composition act.

        head: "auto" takes the heads that go with it, None takes none, a name that one. Several names are the
            heads of parallel adapters, one each, or all of them on all rows.
        skip_layers: layers in which nothing acts (AdapterDrop, Rücklé et al. 2021,
            https://arxiv.org/abs/2010.11918), counted from 0 through all towers.
        Raises CompositionError or UnknownNameError, and then nothing has changed.
        """
        runtime = self.adapter_runtime
        block = None if composition is None else parse_composition(composition)
        self._check_known(block.names() if block else ())
        self._check_learned(block)
        heads = self._chosen_heads(head, block)
        channels = block.channels() if block else 1
        self._check_heads(heads, block)
        skipped = self._checked_layers(skip_layers)
        runtime.injection.activate(block, skipped)
        runtime.channels, runtime.active_heads = channels, heads

    @property
    def active_head(self) -> str | tuple[str, ...] | None:
        """The head that predicts, or None; several: one per channel of a Parallel, or all on all rows."""
        heads = self.adapter_runtime.active_heads
        return heads if len(heads) > 1 else next(iter(heads), None)

    @active_head.setter
    def active_head(self, head: str | Sequence[str] | None) -> None:
        heads = _names(head)
        self._check_heads(heads, self.active_adapters)
        self.adapter_runtime.active_heads = heads

    def _chosen_heads(self, head: str | Sequence[str] | None, block: Block | None) -> tuple[str, ...]:
        return self.adapter_runtime.heads.of_composition(block) if head == "auto" else _names(head)

    def _check_heads(self, heads: tuple[str, ...], block: Block | None) -> None:
        for name in heads:
            self.adapter_runtime.heads.get(name)
        shares = len(shares_of(block)) if block else 1
        if shares == 1 and len(set(heads)) < len(heads):
            raise CompositionError(f"Name every head once, not {', '.join(heads)}.")
        if shares > 1 and len(heads) not in (0, 1, shares):
            raise CompositionError(f"{len(heads)} heads are for as many parallel adapters, not {shares}.")

    def _check_learned(self, block: Block | None) -> None:
        known = self.adapter_runtime.injection.blocks
        for node in block.blocks() if block else ():
            if isinstance(node, LearnedBlock) and (node.kind, node.key()) not in known:
                there = listing(key for kind, key in known if kind == node.kind)
                raise UnknownNameError(
                    f"The parameters of {node!r} were never added under the name {node.key()!r} "
                    f"(add_{'adapter_fusion' if node.kind == 'fuse' else node.kind}); there are: {there}."
                )

    def _checked_layers(self, layers: Iterable[int]) -> frozenset[int]:
        found, count = frozenset(layers), self.adapter_runtime.injection.atlas.num_layers
        if not all(isinstance(layer, int) and 0 <= layer < count for layer in found):
            raise CompositionError(
                f"skip_layers must be layers from 0 to {count - 1}, not {sorted(found, key=str)}."
            )
        return found


def _names(head: str | Sequence[str] | None) -> tuple[str, ...]:
    if head is None:
        return ()
    return (head,) if isinstance(head, str) else tuple(head)
