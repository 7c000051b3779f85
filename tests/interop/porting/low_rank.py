"""LoRA, (IA)³, DoRA, VeRA, DVoRA and MTL-LoRA, all of which the peer writes with one config.

Its update is (α / r) · B A x. Its VeRA has dense matrices where the paper has diagonals, so what it computes
is (α / r) · (V_B B) (V_D A) x: a LoRA, and ported as one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor
from torch.linalg import vector_norm

from adapter_lib.spec.configs import (
    DoRAConfig,
    IA3Config,
    LoRAConfig,
    MethodConfig,
    MTLLoRAConfig,
    Place,
)
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.names import PeerNames
from tests.interop.porting.source import PortingError, Source
from tests.interop.porting.tensors import PlaceTensors

_STARTS = ("lora", "bert")


def low_rank_config(given: Mapping[str, Any], names: PeerNames) -> MethodConfig:
    """Ours for the peer's `lora` or `mtl_lora` config."""
    common: dict[str, Any] = {
        "targets": _targets(given, names),
        "leave_out": tuple(given["leave_out"]),
        "use_gating": given["use_gating"],
    }
    if given["composition_mode"] == "scale":
        if given["alpha"] != 1:
            raise PortingError(f"Factors times alpha={given['alpha']} are not known here.")
        return IA3Config(**common)
    sizes = {"r": given["r"], "alpha": given["alpha"], "dropout": given["dropout"]}
    if given["architecture"] == "mtl_lora":
        own = ("n_up_projection", "task_specific_matrix_type", "weights_sharpness")
        return MTLLoRAConfig(**common, **sizes, **{field: given[field] for field in own})
    start = given["init_weights"] if given["init_weights"] in _STARTS else "lora"
    if given["use_dora"]:
        return DoRAConfig(**common, **sizes)
    return LoRAConfig(**common, **sizes, init_weights=start)


def low_rank_tensors(config: MethodConfig, source: Source, backbone: Backbone) -> Iterator[PlaceTensors]:
    """Every place's tensors."""
    for place in backbone.places(config):
        yield place, _Map(config, source, backbone, place).tensors()


class _Map:
    """The peer's tensors for one map: alone, or as one of the parts of a fused map."""

    def __init__(self, config: MethodConfig, source: Source, backbone: Backbone, place: Place) -> None:
        self.config = config
        self.source = source
        self.backbone = backbone
        self.place = place
        self.stem = f"{backbone.path(place)}.loras.{source.name}."
        self.part = _part(config, backbone, place)

    def tensors(self) -> dict[str, Tensor]:
        """Ours by name."""
        found = self._own()
        if self.config.use_gating:
            found |= {f"gate.{kind}": self._mine(f"gate.{kind}") for kind in ("weight", "bias")}
        return found

    def _own(self) -> dict[str, Tensor]:
        if isinstance(self.config, IA3Config):
            return {"factor": self._mine("lora_B")[:, 0]}
        if isinstance(self.config, MTLLoRAConfig):
            named = {"task_matrix": "task_specific.values", "weights": "weights"}
            return self._factors() | {ours: self._mine(theirs) for ours, theirs in named.items()}
        factors = self._vera() if self.source.has(f"{self.stem}vera_D") else self._factors()
        if isinstance(self.config, DoRAConfig):
            return factors | {"magnitude": self._magnitude(self.config.scale, **factors)}
        return factors

    def _factors(self) -> dict[str, Tensor]:
        return {"lora_a": self._mine("lora_A"), "lora_b": self._mine("lora_B")}

    def _vera(self) -> dict[str, Tensor]:
        """The shared A and B, multiplied into what the place has of its own."""
        shared = self.backbone.below_root(f"shared_parameters.{self.source.name}.")
        a, b = (self.source.take(f"{shared}lora_{letter}") for letter in "AB")
        return {"lora_a": self._mine("vera_D") @ a, "lora_b": self._mine("vera_B") @ b}

    def _magnitude(self, scale: float, lora_a: Tensor, lora_b: Tensor) -> Tensor:
        """m ‖W + s B A‖ / ‖W + B A‖: the peer leaves s out of the norm, which ours would not."""
        weight, update = self.backbone.weight(self.place), lora_b @ lora_a
        norm, theirs = (vector_norm(weight + by * update, dim=1) for by in (scale, 1.0))
        magnitude: Tensor = self._mine("m.weight")[:, 0] * norm / theirs
        return magnitude

    def _mine(self, tensor: str) -> Tensor:
        """One tensor; of a fused map the rows of this part."""
        found = self.source.take(self.stem + tensor)
        if self.part is None:
            return found
        index, count = self.part
        return found.chunk(count)[index]


def _part(config: MethodConfig, backbone: Backbone, place: Place) -> tuple[int, int] | None:
    """(the number of the place among the adapted ones of its map, how many these are), if it is fused."""
    if not backbone.names.fused or not place.role.startswith("attn."):
        return None
    targets = getattr(config, "targets", ())
    letters = [letter for letter in "qkv" if letter in targets]
    return letters.index(place.role[-1]), len(letters)


def _targets(given: Mapping[str, Any], names: PeerNames) -> tuple[str, ...]:
    found = [letter for letter in "qkv" if given["selfattn_lora"] and letter in given["attn_matrices"]]
    found += [names.intermediate] if given["intermediate_lora"] else []
    return tuple(found + ([names.output] if given["output_lora"] else []))
