"""What a method puts at one place: its parameters and its mathematics there."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from adapter_lib.engine.call import Info
from adapter_lib.engine.host import Host
from adapter_lib.engine.recording import record
from adapter_lib.spec.configs import MethodConfig, Place, Shapes

Groups = Sequence[Sequence["Part"]]


class WeightDelta(NamedTuple):
    """What merging does to a map's weight (shaped as `Host.weight` shows it) and bias.

    weight, bias: what is added. rows [out]: what the rows and the bias are multiplied by first, with whatever
    members of a union that act earlier have added. columns [in]: what the columns are multiplied by, for
    parts that act on a map's input.
    """

    weight: Tensor | None = None
    bias: Tensor | None = None
    rows: Tensor | None = None
    columns: Tensor | None = None


class Shared(nn.Module):
    """What all places of one adapter have in common, such as a projection that they share.

    Parameters are named and shaped as `config.shared_shapes(places)` says.
    """

    # Parameters that are kept and saved but never trained.
    frozen: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: MethodConfig, shapes: Shapes, like: Tensor) -> None:
        super().__init__()
        self.config = config
        register(self, shapes, like)

    def initialise(self) -> None:
        """Give the parameters their starting values."""
        raise NotImplementedError

    def trained(self) -> Iterator[nn.Parameter]:
        """The parameters that training changes."""
        for name, parameter in self.named_parameters():
            if name not in self.frozen:
                yield parameter


class Part(nn.Module):
    """One adapter at one place. A method subclasses it and says what `single` does to a state.

    Parameters are named and shaped as `config.all_shapes(place)` says; `make` may build them as modules, and
    `initialise` gives them their values. A part keeps no state between calls.
    """

    # Parameters that are kept and saved but never trained.
    frozen: ClassVar[tuple[str, ...]] = ()
    # Parameters that the adapters of several tasks may have in common.
    shareable: ClassVar[tuple[str, ...]] = ()
    # True if the method uses `gate_of` itself; else the evaluator gates what the part adds.
    gates_itself: ClassVar[bool] = False
    # True if `single` reads `state.info.mask`.
    reads_mask: ClassVar[bool] = False

    gate: nn.Linear | None

    def __init__(self, config: MethodConfig, place: Place, host: Host, shared: Shared | None = None) -> None:
        """Make the parameters, uninitialised, with the device and type that the host tells."""
        super().__init__()
        self.config = config
        self.place = place
        # The adapter that the part belongs to, once it is at its place.
        self.adapter = ""
        # In tuples, so that neither becomes a child: the model and the adapter own them.
        self._host = (host,)
        self._shared = (shared,)
        like = host.like()
        self.make(config.shapes(place), like)
        self.gate = None
        if config.use_gating:
            width, count = place.width_features, config.gates()
            self.gate = nn.Linear(width, count, device=like.device, dtype=like.dtype)

    @property
    def needs_mask(self) -> bool:
        """True if the mask of the state's tokens is read: by `single`, or for the gate's mean."""
        return self.reads_mask or (self.config.use_gating and not self.config.gate_over_padding)

    @property
    def host(self) -> Host:
        """The map or site that is served."""
        return self._host[0]

    @property
    def shared(self) -> Any:
        """The adapter's shared part (whose class the method knows), or None."""
        return self._shared[0]

    def make(self, shapes: Shapes, like: Tensor) -> None:
        """Make the parameters."""
        register(self, shapes, like)

    def initialise(self) -> None:
        """Give the parameters their starting values; not called when a file will overwrite them."""
        raise NotImplementedError

    def single(self, state: Any) -> Any:
        """The state after this adapter acted on it."""
        raise NotImplementedError

    def gate_of(self, x: Tensor, info: Info) -> Tensor:
        """g = mean over tokens of sigmoid(w · x + b), [B, 1, gates] for x [B, S, d]; per row for x [N, d].

        Tokens that `info` knows as padding do not count, and a row of nothing else has 0.
        """
        if self.gate is None:
            raise TypeError(f"{self.config.name()} has no gate.")
        gate = torch.sigmoid(self.gate(x.to(self.gate.weight.dtype)))
        if gate.dim() < 3:
            return gate.to(x.dtype)
        weights = None if self.config.gate_over_padding else _token_weights(gate, info)
        if weights is None:
            return gate.mean(dim=1, keepdim=True).to(x.dtype)
        total = (gate * weights).sum(dim=1, keepdim=True)
        return (total / weights.sum(dim=1, keepdim=True).clamp(min=1)).to(x.dtype)

    def note_gate(self, info: Info, gate: Tensor) -> None:
        """Write a gate down if the caller asked for gates; for methods that gate themselves."""
        record(info, "gates", self.adapter, self.place, gate)

    def can_group(self) -> bool:
        """True if `grouped` can take this part together with others of its class."""
        return False

    @staticmethod
    def fit_together(groups: Groups) -> bool:
        """True if `grouped` can take these groups in one call; every part says `can_group` already."""
        return True

    @staticmethod
    def grouped(groups: Groups, state: Any) -> Any:
        """The state after the parts of every share of the rows (in order, one group each) acted on them."""
        raise NotImplementedError

    def weight_delta(self) -> WeightDelta | None:
        """What merging adds to the served map, or None if the method is no change of weights."""
        return None

    def overrides_norm(self) -> bool:
        """True if the adapter may want to speak after the model's own norm."""
        return False

    def regularisation(self) -> Tensor | None:
        """What is to be added to the loss for this part, a scalar, or None."""
        return None

    def trained(self) -> Iterator[nn.Parameter]:
        """The parameters that training changes."""
        for name, parameter in self.named_parameters():
            if name not in self.frozen:
                yield parameter


class Several(nn.Module):
    """The parts of a union's members at one place; they act one after the other."""

    def __init__(self, members: "dict[str, Part]") -> None:
        super().__init__()
        for name, part in members.items():
            self.add_module(name, part)

    def members(self) -> "list[Part]":
        """The parts, in the order of the union."""
        return list(self.named_members().values())

    def named_members(self) -> "dict[str, Part]":
        """The parts by the number of their config in the union."""
        return {name: part for name, part in self.named_children() if isinstance(part, Part)}


class BlockPart(nn.Module):
    """The parameters of a composition block (Fuse, Route) at one place.

    Its tensors (parameters, and buffers that training moves) are named and shaped as
    `config.block_shapes(place, children)` says.
    """

    def __init__(self, config: MethodConfig, place: Place, like: Tensor, children: int, block: str) -> None:
        """children: how many the block has. block: its name, under which values are recorded."""
        super().__init__()
        self.config = config
        self.place = place
        self.count = children
        self.block = block
        self.make(config.block_shapes(place, children), like)

    def make(self, shapes: Shapes, like: Tensor) -> None:
        """Make the tensors."""
        register(self, shapes, like)

    @property
    def needs_mask(self) -> bool:
        """True if `combine` reads the mask of the state's tokens."""
        return False

    def initialise(self) -> None:
        """Give the parameters their starting values."""
        raise NotImplementedError

    def begin(self) -> None:
        """Called in training, before the model runs: once per call, however often `combine` follows."""

    def combine(self, state: Any, results: Sequence[Any], which: Sequence[int]) -> Any:
        """One state from what the children made of `state`; `which`: their numbers in the block."""
        raise NotImplementedError

    def regularisation(self) -> Tensor | None:
        """What is to be added to the loss for this block here, a scalar, or None."""
        return None


def _token_weights(x: Tensor, info: Info) -> Tensor | None:
    """1 for a token of x [B, S, n], 0 for padding, [B or 1, S, 1]; None where padding is not known."""
    mask = info.own_mask(x.shape[1])
    # Some places see other rows than the batch's (positions that all share), or states head by head.
    if mask is None or x.dim() != 3 or mask.shape[0] not in (1, x.shape[0]):
        return None
    return mask.ne(0).to(x).unsqueeze(-1)


def register(module: nn.Module, shapes: Shapes, like: Tensor) -> None:
    """Empty parameters by name and shape; names with dots make nested modules."""
    for name, shape in shapes.items():
        *parents, last = name.split(".")
        owner = module
        for parent in parents:
            if parent not in owner._modules:
                owner.add_module(parent, nn.Module())
            owner = owner.get_submodule(parent)
        owner.register_parameter(last, nn.Parameter(torch.empty(shape, dtype=like.dtype, device=like.device)))
