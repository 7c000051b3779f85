"""The adapters on one model: which there are, where they sit, and which of them act."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from torch import nn

from adapter_lib.engine import BlockPart, Call, Part, Several, Shared
from adapter_lib.families import FamilySpec, resolve
from adapter_lib.inject import sharing
from adapter_lib.inject.atlas import Atlas, Key, Spot
from adapter_lib.inject.pointset import PointSet
from adapter_lib.inject.report import AttachReport, count_places
from adapter_lib.methods import method_of
from adapter_lib.points import Rounding
from adapter_lib.points.deltas import named
from adapter_lib.spec.composition import Block, LearnedBlock, Stack
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.configs.union import members_of
from adapter_lib.spec.errors import AttachError


class SharedStore(nn.Module):
    """The shared parts of a model's adapters, as children whose names no model uses."""


@dataclass
class Injection:
    """Adapters and learned blocks by name, and the composition that acts.

    skipped: layers in which nothing acts (AdapterDrop).
    """

    atlas: Atlas
    points: PointSet
    shared: SharedStore
    configs: dict[str, MethodConfig] = field(default_factory=dict)
    blocks: dict[tuple[str, str], tuple[MethodConfig, tuple[str, ...]]] = field(default_factory=dict)
    block: Block | None = None
    skipped: frozenset[int] = frozenset()
    # The parameters of the learned blocks in `block`.
    learned: tuple[BlockPart, ...] = ()

    @classmethod
    def of(cls, model: nn.Module, family: FamilySpec | None = None) -> "Injection":
        """Nothing attached yet. Raises FamilyError if the model's family is not known."""
        atlas = Atlas(resolve(model, family), model)
        return cls(atlas, PointSet(atlas, Call()), SharedStore())

    @property
    def call(self) -> Call:
        """What the model's current call tells the points."""
        return self.points.call

    def attach(self, name: str, config: MethodConfig, *, initialise: bool = True) -> AttachReport:
        """Put an adapter at all its places.

        Raises FamilyError, ConfigError or AttachError, and then nothing has changed.
        """
        members = members_of(config)
        found = [self.atlas.find(member) for member in members]
        made: dict[Key, dict[str, Part]] = {}
        try:
            for number, (member, spots) in enumerate(zip(members, found, strict=True)):
                shared = self._share(name, number if len(members) > 1 else None, member, spots)
                for spot in spots:
                    point = self.points.get(spot)
                    part = method_of(member).part(member, spot.place, point, shared)
                    made.setdefault(spot.key, {})[str(number)] = part
                    if part.needs_mask:
                        self.points.catch_mask(spot)
            if initialise:
                self._initialise(name, made)
        except Exception:  # whatever it is goes on to the caller: only what was attached so far is taken off
            self._drop(name)
            raise
        for key, parts in made.items():
            single = next(iter(parts.values()))
            self.points.points[key].add(name, single if len(members) == 1 else Several(parts))
        self.configs[name] = config
        spots = [spot for spots in found for spot in spots]
        parameters = sum(p.numel() for p in self.parameters(name))
        return AttachReport(name, config.name(), count_places(spot.place for spot in spots), parameters)

    def remove(self, name: str) -> None:
        """Take an adapter off; points that hold nothing else go with it. What is merged of it goes too.

        Raises AttachError if it is merged together with others.
        """
        merged = self.merged()
        if merged is not None and name in merged.names():
            if len(merged.names()) > 1:
                raise AttachError(
                    f"{name!r} is merged together with others ({merged!r}): reset_adapter() first."
                )
            self.reset()
        del self.configs[name]
        if self.block is not None and name in self.block.names():
            self.activate(None)
        self._drop(name)

    def activate(self, block: Block | None, skipped: Iterable[int] = ()) -> None:
        """Let a composition act, or nothing, except in the skipped layers.

        Names that do not exist are the caller's to refuse. Raises AttachError or CompositionError, and then
        nothing has changed, if an adapter is merged and would act twice, or the composition cannot act.
        """
        self._refuse_merged(block)
        left_out = frozenset(skipped)
        plans = {
            key: None if point.place.layer in left_out else point.compiled(block)
            for key, point in self.points.points.items()
        }
        for key, plan in plans.items():
            self.points.points[key].plan = plan
        self.block, self.skipped, self.learned = block, left_out, self._learned(block)

    def begin(self) -> None:
        """Tell the active learned blocks that a call of the model in training begins."""
        for part in self.learned:
            part.begin()

    def parts(self, name: str) -> dict[Key, Part | Several]:
        """An adapter's parts by key, in the order of places."""
        found = {key: point.parts().get(name) for key, point in self.points.points.items()}
        return {key: part for key, part in sorted(found.items()) if part is not None}

    def members(self, name: str) -> list[Part]:
        """An adapter's parts, those of a union's members singly."""
        parts = self.parts(name).values()
        return [m for part in parts for m in (part.members() if isinstance(part, Several) else [part])]

    def shared_parts(self, name: str) -> dict[str, Shared]:
        """An adapter's shared parts: under "" or, in a union, under the member's number."""
        found: dict[str, Shared] = {}
        for child, part in self.shared.named_children():
            owner, _, number = child.removeprefix("adapter:").rpartition("#")
            if isinstance(part, Shared) and owner == name:
                found[number] = part
        return found

    def drop_shared(self, name: str, number: str) -> None:
        """Take one of an adapter's shared parts off, by its number in `shared_parts`."""
        delattr(self.shared, f"adapter:{name}#{number}")

    def hold_shared(self, name: str, number: str, shared: Shared) -> None:
        """Hold a shared part for an adapter, under a number as in `shared_parts`."""
        self.shared.add_module(f"adapter:{name}#{number}", shared)

    def parameters(self, name: str) -> list[nn.Parameter]:
        """Every parameter of an adapter, frozen ones included, each once."""
        modules: list[nn.Module] = [*self.parts(name).values(), *self.shared_parts(name).values()]
        return list({id(p): p for module in modules for p in module.parameters()}.values())

    def trained(self, name: str) -> list[nn.Parameter]:
        """The parameters of an adapter that training changes."""
        found = [parameter for part in self.members(name) for parameter in part.trained()]
        for shared in self.shared_parts(name).values():
            found += shared.trained()
        return found

    def share(self, names: Sequence[str]) -> int:
        """Let adapters have in common what their method can share, with the first one's values.

        Returns how many parameters. Raises AttachError if they do not fit together.
        """
        return sharing.share({name: self.members(name) for name in names})

    def unshare(self, names: Sequence[str]) -> int:
        """Undo `share` for these adapters; returns how many parameters they shared."""
        everywhere = [part for name in self.configs for part in self.members(name)]
        return sharing.unshare({name: self.members(name) for name in names}, everywhere)

    def add_block(
        self, kind: str, key: str, config: MethodConfig, names: tuple[str, ...], children: int
    ) -> int:
        """Put a learned block's parameters wherever one of its adapters is; returns at how many places."""
        points = {at: point for at, point in self.points.points.items() if set(names) & set(point.parts())}
        if not points:
            raise AttachError(f"None of {', '.join(names)} is anywhere on this model.")
        made: dict[Key, BlockPart] = {}
        for at, point in points.items():
            made[at] = method_of(config).block(config, point.place, point.like(), children, key)
            made[at].initialise()
        for at, part in made.items():
            points[at].add_block(kind, key, part)
            if part.needs_mask:
                self.points.catch_mask(self.atlas.spot(at))
        self.blocks[kind, key] = (config, names)
        return len(made)

    def remove_block(self, kind: str, key: str) -> None:
        """Take a learned block's parameters off."""
        del self.blocks[kind, key]
        if self.block is not None and any(
            (b.kind, getattr(b, "key", str)()) == (kind, key) for b in self.block.blocks()
        ):
            self.activate(None)
        for point in self.points.points.values():
            point.remove_block(kind, key)
        self.points.sweep()

    def block_parts(self, kind: str, key: str) -> dict[Key, BlockPart]:
        """A learned block's parameters by place."""
        found = {at: point.blocks().get((kind, key)) for at, point in self.points.points.items()}
        return {at: part for at, part in sorted(found.items()) if part is not None}

    def merge(self, block: Block) -> dict[Key, Rounding]:
        """Add a composition to the weights at all its places, on top of what is merged already.

        All of it is worked out anew from the original weights, so that it is rounded once. Raises
        AttachError, and then nothing has changed.
        """
        self._refuse_merged(block)
        before = self.merged()
        self.reset()
        try:
            return self._merge(block if before is None else Stack(*_steps(before), *_steps(block)))
        finally:
            if before is not None and self.merged() is None:
                self._merge(before)

    def reset(self) -> None:
        """Take all that is merged out of the weights; what went in last goes first."""
        for key in sorted(self.points.points, reverse=True):
            if self.points.points[key].merged is not None:
                self.points.points[key].reset()

    def keep_merged(self) -> None:
        """Forget the original weights: what is merged stays."""
        for point in self.points.points.values():
            point.keep_merged()

    def merged(self) -> Block | None:
        """What is merged into the weights, if anything is."""
        return next((p.merged for p in self.points.points.values() if p.merged is not None), None)

    def _merge(self, block: Block) -> dict[Key, Rounding]:
        done: dict[Key, Rounding] = {}
        keys = sorted({key for name in block.names() for key in self.parts(name)})
        try:
            for key in keys:
                self._refuse_tied(block, self.atlas.spot(key))
                done[key] = self.points.points[key].merge(block)
        finally:
            if len(done) < len(keys):
                for key in reversed(done):
                    self.points.points[key].reset()
        return done

    def _refuse_merged(self, block: Block | None) -> None:
        merged = self.merged()
        twice = (
            set(merged.names()) & set(block.names()) if merged is not None and block is not None else set()
        )
        if twice:
            raise AttachError(
                f"{', '.join(map(repr, sorted(twice)))} is merged into the weights; reset_adapter() takes it "
                "out again."
            )

    def _refuse_tied(self, block: Block, spot: Spot) -> None:
        """A matrix that another module uses too (a tied head) would change there as well."""
        weight = getattr(spot.module, "weight", None)
        for path, module in self.atlas.model.named_modules() if spot.place.kind == "embedding" else ():
            if weight is not None and module is not spot.module and getattr(module, "weight", None) is weight:
                raise AttachError(
                    f"{named(block)} changes the embedding matrix, which is tied to {path}: merging would "
                    "change that too. Untie them first, or let the adapter act unmerged."
                )

    def _learned(self, block: Block | None) -> tuple[BlockPart, ...]:
        nodes = [node for node in block.blocks() if isinstance(node, LearnedBlock)] if block else []
        keys = dict.fromkeys((node.kind, node.key()) for node in nodes)
        return tuple(part for key in keys for part in self.block_parts(*key).values())

    def _share(
        self, name: str, number: int | None, config: MethodConfig, spots: Sequence[Spot]
    ) -> Shared | None:
        shapes = config.shared_shapes([spot.place for spot in spots])
        kind = method_of(config).shared
        if not shapes or kind is None:
            return None
        shared = kind(config, shapes, self.points.get(spots[0]).like())
        self.hold_shared(name, "" if number is None else str(number), shared.train(self.shared.training))
        return shared

    def _initialise(self, name: str, made: dict[Key, dict[str, Part]]) -> None:
        for shared in self.shared_parts(name).values():
            shared.initialise()
        for parts in made.values():
            for part in parts.values():
                if part.gate is not None:
                    part.gate.reset_parameters()
                part.initialise()

    def _drop(self, name: str) -> None:
        for point in self.points.points.values():
            point.remove(name)
        for number in self.shared_parts(name):
            self.drop_shared(name, number)
        self.points.sweep()


def _steps(block: Block) -> tuple[str | Block, ...]:
    return block.children if isinstance(block, Stack) else (block,)
