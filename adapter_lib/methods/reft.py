"""LoReFT, NoReFT and DiReFT; the equations stand at `ReftConfig`."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from adapter_lib.engine import HiddenState, Part
from adapter_lib.methods.non_linearities import non_linearity
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import ReftConfig, Shapes
from adapter_lib.spec.errors import AttachError


class ReftUnit(nn.Module):
    """W, b and R of one group of tokens.

    source: W and b. projection [r, d]: R itself or, where R is orthonormal, what `orthonormal` makes it of;
    an orthonormal R makes itself, so a stored or foreign one can be copied in as it is.
    """

    def __init__(self, config: ReftConfig, width: int, like: Tensor) -> None:
        super().__init__()
        self.config = config
        self.source = nn.Linear(width, config.r, device=like.device, dtype=like.dtype)
        self.projection = nn.Parameter(torch.empty(config.r, width, device=like.device, dtype=like.dtype))
        self.act = nn.Identity() if config.non_linearity is None else non_linearity(config.non_linearity)

    def initialise(self) -> None:
        """W, b as torch starts a linear map; R orthonormal, or as torch starts a linear map."""
        self.source.reset_parameters()
        if self.config.orthogonality:
            exact = nn.init.orthogonal_(torch.empty(self.projection.shape))
            with torch.no_grad():
                self.projection.copy_(exact)
        else:
            nn.init.kaiming_uniform_(self.projection, a=5**0.5)

    def rows(self) -> Tensor:
        """R [r, d]."""
        return orthonormal(self.projection) if self.config.orthogonality else self.projection

    def set_rows(self, rows: Tensor) -> None:
        """Take over a given R [r, d]. Raises AttachError for another shape, or if it must be orthonormal."""
        if rows.shape != self.projection.shape:
            raise AttachError(f"R must be {list(self.projection.shape)}, not {list(rows.shape)}.")
        if self.config.orthogonality:
            exact = rows.double()
            error = exact @ exact.t() - torch.eye(len(rows), dtype=exact.dtype, device=rows.device)
            if error.abs().max() > 1e-3:
                raise AttachError(f"The rows of R are not orthonormal (off by {error.abs().max():.1e}).")
        with torch.no_grad():
            self.projection.copy_(rows)

    def forward(self, h: Tensor) -> Tensor:
        """Φ(h) - h, for h [..., d]."""
        x = h.to(self.projection.dtype)
        rows = self.rows()
        low = self.act(self.source(x))
        if self.config.subtract_projection:
            low = low - F.linear(x, rows)
        delta = low @ rows.to(low.dtype)
        if self.training and self.config.dropout:
            delta = F.dropout(x + delta, self.config.dropout) - x
        found: Tensor = delta.to(h.dtype)
        return found


class Reft(Part):
    """Edits the first and last tokens behind a layer."""

    reads_mask = True

    config: ReftConfig

    def make(self, shapes: Shapes, like: Tensor) -> None:
        for name in self.config.units():
            self.add_module(name, ReftUnit(self.config, shapes[f"{name}.projection"][1], like))

    def initialise(self) -> None:
        for name in self.config.units():
            self.unit(name).initialise()

    def unit(self, name: str) -> ReftUnit:
        """The weights of a group of tokens: "prefix", "suffix", or "tied"."""
        return cast("ReftUnit", self._modules[name])

    def single(self, state: HiddenState) -> HiddenState:
        if state.h.dim() != 3:
            raise AttachError(
                f"{self.config.name()} edits tokens of [batch, tokens, width], and layer {self.place.layer} "
                f"gives {list(state.h.shape)}."
            )
        chosen = self._chosen(state)
        after = state.h
        for name, (tokens, count) in chosen.items():
            after = _edit(after, state.h, self.unit(name), tokens, count)
        return state.with_h(after)

    def _chosen(self, state: HiddenState) -> dict[str, tuple[Tensor, int]]:
        """By unit, the tokens of h that it edits [rows or 1, S] and how many they are at most.

        The mask may begin before h: with a KV cache it tells of the whole sequence, and h of its last tokens.
        """
        first, total = state.info.window or (0, state.length())
        real = _real_tokens(state, total)
        is_whole = real.shape[1] == total
        start = real.shape[1] - total + first
        rank = real.cumsum(1)
        first_ones = real & (rank <= self.config.prefix_positions)
        # In the continuation of a sequence the last tokens are not those of the prompt.
        last_ones = real & (rank > rank[:, -1:] - self.config.suffix_positions) & is_whole
        prefix, suffix = self.config.prefix_positions, self.config.suffix_positions
        if self.config.tied_weights:
            chosen = {"tied": (first_ones | last_ones, prefix + suffix)}
        else:
            chosen = {"prefix": (first_ones, prefix), "suffix": (last_ones, suffix)}
        end = start + state.length()
        return {name: (tokens[:, start:end], count) for name, (tokens, count) in chosen.items() if count}


def _real_tokens(state: HiddenState, total: int) -> Tensor:
    """Which tokens of the whole sequence are no padding, [rows or 1, at least `total`]."""
    mask = state.info.mask
    if mask is None:
        return torch.ones(1, total, dtype=torch.bool, device=state.h.device)
    # Tokens that the mask does not know of stand in front, such as soft prompts.
    return F.pad(mask.bool(), (max(0, total - mask.shape[1]), 0), value=True)


def _edit(after: Tensor, h: Tensor, unit: ReftUnit, tokens: Tensor, count: int) -> Tensor:
    """`after` with what the unit makes of h's chosen tokens added there; only these are computed.

    A row with fewer chosen tokens than `count` fills up with others, whose edit counts nothing.
    """
    tokens = tokens.expand(h.shape[0], -1)
    index = tokens.int().topk(min(count, h.shape[1]), dim=1).indices
    wide = index.unsqueeze(-1).expand(-1, -1, h.shape[-1])
    delta = unit(h.gather(1, wide)) * tokens.gather(1, index).unsqueeze(-1)
    return after.scatter_add(1, wide, delta)


def orthonormal(free: Tensor) -> Tensor:
    """The Gram-Schmidt rows of a free matrix [r, d] of full rank, r ≤ d: Q of the one factorisation
    `free` = L Q with L lower triangular and a positive diagonal.

    Orthonormal rows are a fixed point. Differentiable wherever the rank is full. Taken from the Cholesky
    factor of free · freeᵀ, twice, so that the result is orthonormal to rounding; raises torch's LinAlgError
    at a lower rank.
    """
    with torch.autocast(free.device.type, enabled=False):
        rows = F.normalize(free.to(torch.promote_types(free.dtype, torch.float32)), dim=-1)
        if len(rows) > 1:
            for _ in range(2):
                factor = torch.linalg.cholesky(rows @ rows.t())
                rows = torch.linalg.solve_triangular(factor, rows, upper=False)
    return rows.to(free.dtype)


register_method(
    Method(
        name="reft",
        config=ReftConfig,
        part=Reft,
        presets=("loreft", "noreft", "direft"),
        summary="A low-rank edit of the hidden states of a few tokens, behind the layers.",
        paper="https://arxiv.org/abs/2404.03592",
        learning_rate=4e-3,
    )
)
