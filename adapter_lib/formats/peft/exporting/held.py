"""What an adapter holds, member by member and place by place."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from adapter_lib.formats.conversion import Exportable
from adapter_lib.formats.expected import shared_key, tensor_key
from adapter_lib.formats.peft.checkpoint import Tensors
from adapter_lib.inject import Key, Spot
from adapter_lib.spec.configs import MethodConfig, members_of


@dataclass(frozen=True, eq=False)
class Held:
    """One config of an adapter, its tensors by place in the order of the places, and the shared ones."""

    config: MethodConfig
    spots: tuple[Spot, ...]
    tensors: dict[Key, Tensors]
    shared: Tensors


@dataclass(frozen=True, eq=False)
class Piece:
    """One member at one place."""

    config: MethodConfig
    spot: Spot
    tensors: Tensors

    def tensor(self, name: str) -> Tensor:
        """One of its tensors."""
        return self.tensors[name]

    @property
    def columns(self) -> Tensor | None:
        """The outputs of its module that it acts on; None: all."""
        columns = self.spot.columns
        device = next(iter(self.tensors.values())).device
        return None if columns is None else columns.to(device)


@dataclass(frozen=True, eq=False)
class Site:
    """A module and all that an adapter has at it: several pieces where its map is fused."""

    module: nn.Module
    pieces: tuple[Piece, ...]

    @property
    def first(self) -> Piece:
        """The first piece."""
        return self.pieces[0]

    @property
    def is_whole(self) -> bool:
        """True if one piece acts on the whole map."""
        return len(self.pieces) == 1 and self.first.spot.columns is None

    @property
    def is_twice(self) -> bool:
        """True if two members act at one place."""
        return len({piece.spot.key for piece in self.pieces}) < len(self.pieces)


def held_by(adapter: Exportable) -> list[Held]:
    """An adapter's members."""
    members = members_of(adapter.config)
    found: list[Held] = []
    for index, config in enumerate(members):
        number = str(index) if len(members) > 1 else ""
        spots = tuple(adapter.atlas.find(config))
        tensors: dict[Key, Tensors] = {}
        for spot in spots:
            names = {name: f"{number}.{name}" if number else name for name in config.all_shapes(spot.place)}
            tensors[spot.key] = {n: adapter.tensors[tensor_key(spot.key, own)] for n, own in names.items()}
        shared = config.shared_shapes([spot.place for spot in spots])
        found.append(
            Held(config, spots, tensors, {n: adapter.tensors[shared_key(number, n)] for n in shared})
        )
    return found


def sites(members: Iterable[Held]) -> list[Site]:
    """The modules that members act on, in the order of the places."""
    found: dict[nn.Module, list[Piece]] = {}
    order: dict[nn.Module, Key] = {}
    for held in members:
        for spot in held.spots:
            found.setdefault(spot.module, []).append(Piece(held.config, spot, held.tensors[spot.key]))
            order.setdefault(spot.module, spot.key)
    return [Site(module, tuple(found[module])) for module in sorted(found, key=lambda m: order[m])]
