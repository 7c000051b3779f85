"""The parameters of the blocks that are learned: fusions and routes."""

from collections.abc import Sequence

from adapter_lib.model.activation import Activation
from adapter_lib.model.prepared import Composition
from adapter_lib.spec.composition import Fuse, LearnedBlock, Route, parse_composition
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.errors import AttachError, CompositionError, UnknownNameError, listing
from adapter_lib.spec.strings import parse_config


class LearnedBlocks(Activation):
    """Adding, training and deleting what Fuse and Route learn."""

    def add_adapter_fusion(
        self,
        adapters: Sequence[str] | Fuse,
        config: str | MethodConfig = "dynamic",
        *,
        name: str | None = None,
        overwrite: bool = False,
    ) -> int:
        """Add the parameters of a Fuse of these adapters wherever one of them is; returns at how many places.

        config: "static", "dynamic" or a FusionConfig. name: by default the adapters' names joined by commas.
        Raises UnknownNameError, ConfigError, or AttachError if there is a fusion of this name already.
        """
        block = adapters if isinstance(adapters, Fuse) else Fuse(*adapters, name=name)
        return self._add_learned(block, config, overwrite=overwrite)

    def add_route(
        self,
        adapters: Sequence[str] | Route,
        config: str | MethodConfig = "route",
        *,
        name: str | None = None,
        overwrite: bool = False,
    ) -> int:
        """Add the parameters of a Route over these adapters; otherwise as `add_adapter_fusion`."""
        block = adapters if isinstance(adapters, Route) else Route(*adapters, name=name)
        return self._add_learned(block, config, overwrite=overwrite)

    def delete_adapter_fusion(self, name: str | Sequence[str] | Fuse) -> None:
        """Remove a fusion by its name, its adapters or its block. Raises UnknownNameError."""
        self._delete_learned("fuse", block_name(name))

    def delete_route(self, name: str | Sequence[str] | Route) -> None:
        """Remove a route by its name, its adapters or its block. Raises UnknownNameError."""
        self._delete_learned("route", block_name(name))

    def train_adapter_fusion(
        self,
        composition: Composition,
        *,
        head: str | Sequence[str] | None = "auto",
        unfreeze_adapters: bool = False,
    ) -> None:
        """Activate a composition and train its fusions and heads; with unfreeze_adapters its adapters too.

        head: as for `set_active_adapters`; "auto" goes on with the head of the last adapter that has one.
        """
        self._train_learned(composition, Fuse, head, unfreeze_adapters=unfreeze_adapters)

    def train_route(
        self,
        composition: Composition,
        *,
        head: str | Sequence[str] | None = "auto",
        unfreeze_adapters: bool = False,
    ) -> None:
        """As `train_adapter_fusion`, for the routes of a composition."""
        self._train_learned(composition, Route, head, unfreeze_adapters=unfreeze_adapters)

    def _add_learned(self, block: LearnedBlock, config: str | MethodConfig, *, overwrite: bool) -> int:
        self._check_known(block.names())
        parsed, injection = parse_config(config), self.adapter_runtime.injection
        if parsed.method != block.config_method:
            raise CompositionError(
                f"{type(block).__name__} takes a {block.config_method} config, not {parsed.name()}."
            )
        key = block.key()
        if (block.kind, key) in injection.blocks:
            if not overwrite:
                raise AttachError(f"There is a {block.kind} {key!r} already; overwrite=True replaces it.")
            self._delete_learned(block.kind, key)
        count = injection.add_block(block.kind, key, parsed, block.names(), len(block.children))
        self._note_keys()
        return count

    def _delete_learned(self, kind: str, key: str) -> None:
        injection = self.adapter_runtime.injection
        self._check_block(kind, key)
        injection.remove_block(kind, key)
        if injection.block is None:
            self.set_active_adapters(None)
        self._note_keys()

    def _check_block(self, kind: str, key: str) -> None:
        blocks = self.adapter_runtime.injection.blocks
        if (kind, key) not in blocks:
            known = listing(name for other, name in blocks if other == kind)
            raise UnknownNameError(f"There is no {kind} {key!r} on this model; there are: {known}.")

    def _train_learned(
        self,
        composition: Composition,
        kind: type[LearnedBlock],
        head: str | Sequence[str] | None,
        *,
        unfreeze_adapters: bool,
    ) -> None:
        if composition is None:
            raise AttachError(f"Name the composition with the {kind.__name__} to train.")
        block = parse_composition(composition)
        learned = [node for node in block.blocks() if isinstance(node, kind)]
        if not learned:
            raise CompositionError(f"{block!r} has no {kind.__name__} to train.")
        self.set_active_adapters(block, head=head)
        self._freeze()
        runtime = self.adapter_runtime
        for node in learned:
            for part in runtime.injection.block_parts(node.kind, node.key()).values():
                part.requires_grad_(True)
        if unfreeze_adapters:
            self._unfreeze_adapters(block.names())
        self._unfreeze_heads()
        self.train()


def block_name(name: str | Sequence[str] | LearnedBlock) -> str:
    """The name of a learned block, from itself, its adapters or its block."""
    if isinstance(name, LearnedBlock):
        return name.key()
    return name if isinstance(name, str) else ",".join(name)
