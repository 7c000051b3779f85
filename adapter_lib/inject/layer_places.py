"""The places of one layer, told from its table and its modules."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from adapter_lib.families import LayerSpec, paths
from adapter_lib.inject.norms import norm_width, norms_of
from adapter_lib.points import columns, expert_tensors, maps
from adapter_lib.spec.configs import Place
from adapter_lib.spec.roles import LAYER_ROLE, MIDDLE_ROLE, NORM_ROLE

# A place, the module that it is about, and its output columns where its map is fused with others.
Found = tuple[Place, nn.Module, Tensor | None]


class LayerPlaces:
    """Finds the places of one layer; `all()` gives them by role, `width` is the layer's hidden size."""

    def __init__(self, table: LayerSpec, tower: str, number: int, layer: nn.Module, config: Any) -> None:
        self.table = table
        self.tower = tower
        self.number = number
        self.layer = layer
        self.config = config
        self.found: dict[str, Found] = {}

    def all(self) -> dict[str, Found]:
        """Role → place."""
        self.found |= dict(self._maps())
        self.found |= dict(self._fused_maps())
        self.found |= dict(self._experts())
        width = self._width()
        self.found |= dict(self._sites(width))
        self.found |= dict(self._attentions(width))
        self.found |= dict(self._middle())
        self.found |= dict(self._norms())
        self.found[LAYER_ROLE] = self._hidden(LAYER_ROLE, width, "layer"), self.layer, None
        return self.found

    def _maps(self) -> Iterator[tuple[str, Found]]:
        for role, path in self.table.leaves().items():
            module = paths.find(self.layer, path)
            if module is not None:
                yield role, (map_place(role, self.number, self.tower, module), module, None)

    def _fused_maps(self) -> Iterator[tuple[str, Found]]:
        for part, fused in self.table.fused().items():
            module = paths.find(self.layer, fused.path)
            if module is None:
                continue
            output = self.found.get(f"{part}.o")
            attention = paths.find(self.layer, self.table.attentions().get(part, "")) or self.layer
            width_in, width_out = maps.widths(module)
            query = output[0].width_in if output else None
            for letter, own in columns(fused, width_out, query, attention, self.config).items():
                role = f"{part}.{letter}"
                bias = maps.plain_bias(module) is not None
                place = Place(role, self.number, width_in, len(own), tower=self.tower, has_bias=bias)
                yield role, (place, module, own)

    def _experts(self) -> Iterator[tuple[str, Found]]:
        """The three-dimensional tensors of a mixture of experts: [experts, out, in]."""
        experts = paths.find(self.layer, self.table.experts) if self.table.experts else None
        for role, (_, weight) in expert_tensors(experts).items():
            count, width_out, width_in = weight.shape
            place = Place(role, self.number, width_in, width_out, "experts", (count,), self.tower)
            yield role, (place, experts or self.layer, None)

    def _width(self) -> int:
        """The layer's hidden size: what its maps give back."""
        for role in ("attn.o", "ffn.down", "experts.down"):
            if role in self.found:
                return self.found[role][0].width_out
        return int(self.config.hidden_size)

    def _sites(self, width: int) -> Iterator[tuple[str, Found]]:
        for role, site in self.table.sites().items():
            # A cross-attention that this model does not have is no place.
            if paths.find(self.layer, site.out.partition("#")[0]) and paths.find(self.layer, site.caught):
                yield role, (self._hidden(role, width, "site"), self.layer, None)

    def _attentions(self, width: int) -> Iterator[tuple[str, Found]]:
        for role, path in self.table.attentions().items():
            module, keys = paths.find(self.layer, path), self.found.get(f"{role}.k")
            if module is not None and keys is not None:
                out = self.found.get(f"{role}.o")
                given = (out[0].width_in,) if out is not None else ()
                kept = keys[0].width_out
                place = Place(role, self.number, width, kept, "attention", given, self.tower)
                yield role, (place, module, None)

    def _middle(self) -> Iterator[tuple[str, Found]]:
        if "ffn.down" in self.found:
            down, module, _ = self.found["ffn.down"]
            yield MIDDLE_ROLE, (self._hidden(MIDDLE_ROLE, down.width_in, "middle"), module, None)

    def _norms(self) -> Iterator[tuple[str, Found]]:
        for index, norm in enumerate(norms_of(self.layer)):
            role, bias = f"{NORM_ROLE}.{index}", maps.plain_bias(norm) is not None
            yield role, (replace(self._hidden(role, norm_width(norm), "norm"), has_bias=bias), norm, None)

    def _hidden(self, role: str, width: int, kind: str) -> Place:
        return Place(role, self.number, width, width, kind, tower=self.tower)


def map_place(role: str, number: int, tower: str, module: nn.Module) -> Place:
    """The place of a map with weights. Raises AttachError if the module is none."""
    kind, extent, bias = maps.kind_of(module), maps.extent(module), maps.plain_bias(module) is not None
    groups = getattr(module, "groups", 1) if kind == "conv" else 1
    return Place(role, number, *maps.widths(module), kind, extent, tower, bias, groups)
