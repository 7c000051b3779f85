"""LoRA, (IA)³, DoRA, VeRA, DVoRA and MTL-LoRA, all of which the peer writes with one config.

Its update is (α / r) · B A x. Its VeRA has dense matrices where the paper has diagonals, so what it computes
is (α / r) · (V_B B) (V_D A) x: a LoRA, and read as one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor
from torch.linalg import vector_norm

from adapter_lib.formats.adapterhub.backbone import Backbone
from adapter_lib.formats.adapterhub.importing.source import Source
from adapter_lib.formats.adapterhub.importing.tensors import PlaceTensors
from adapter_lib.formats.adapterhub.names import PeerNames
from adapter_lib.spec.configs import (
    DoRAConfig,
    IA3Config,
    LoRAConfig,
    MethodConfig,
    MTLLoRAConfig,
    Place,
)
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

_STARTS = ("lora", "bert")
_MODES = ("add", "scale")


def low_rank_config(given: Mapping[str, Any], names: PeerNames) -> MethodConfig:
    """Ours for the peer's `lora` or `mtl_lora` config. Raises LoadError for a mode that ours has not."""
    common: dict[str, Any] = {
        "targets": _targets(given, names),
        "leave_out": given["leave_out"],
        "use_gating": given["use_gating"],
        # The peer's gates are trained with a mean that counts padding.
        "gate_over_padding": given["use_gating"],
    }
    if given["composition_mode"] not in _MODES:
        raise LoadError(
            f"composition_mode must be add or scale, not {quoted(repr(given['composition_mode']))}."
        )
    if given["composition_mode"] == "scale":
        return _ia3(given, common)
    sizes = {"r": given["r"], "alpha": given["alpha"], "dropout": given["dropout"]}
    if given["architecture"] == "mtl_lora":
        own = ("n_up_projection", "task_specific_matrix_type", "weights_sharpness")
        return MTLLoRAConfig(**common, **sizes, **{field: given[field] for field in own})
    if given["use_dora"]:
        return DoRAConfig(**common, **sizes, scales_bias=True)
    start = given["init_weights"] if given["init_weights"] in _STARTS else "lora"
    return LoRAConfig(**common, **sizes, init_weights=start)


def _ia3(given: Mapping[str, Any], common: dict[str, Any]) -> IA3Config:
    if given["r"] != 1 or given["alpha"] != 1:
        raise LoadError(
            f"Factors with r={given['r']} and alpha={given['alpha']} have no counterpart here; (IA)³ has 1 "
            "and 1."
        )
    return IA3Config(**common)


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
        self.part = backbone.fused_part(place, adapted_letters(config))

    def tensors(self) -> dict[str, Tensor]:
        """Ours by name."""
        found = self._own()
        if self.config.use_gating:
            found |= {f"gate.{kind}": self._mine(f"gate.{kind}") for kind in ("weight", "bias")}
        return found

    def _own(self) -> dict[str, Tensor]:
        if isinstance(self.config, IA3Config):
            return {"factor": self._mine("lora_B", dims=2)[:, 0]}
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
        rank, place = int(self.config.size()), self.place
        shared = self.backbone.below_root(f"shared_parameters.{self.source.name}.")
        a = self.source.take(f"{shared}lora_A", shape=(rank, place.width_in))
        b = self.source.take(f"{shared}lora_B", shape=(place.width_out, rank))
        d = self.source.take(f"{self.stem}vera_D", shape=(rank, rank))
        up = self.source.take(f"{self.stem}vera_B", shape=(place.width_out, place.width_out))
        return {"lora_a": d @ a, "lora_b": up @ b}

    def _magnitude(self, scale: float, lora_a: Tensor, lora_b: Tensor) -> Tensor:
        """m ‖W + s B A‖ / ‖W + B A‖: the peer leaves s out of the norm, which ours would not."""
        weight = self.backbone.weight(self.place)
        if (lora_b.shape[0], lora_a.shape[-1]) != tuple(weight.shape) or lora_b.shape[-1] != len(lora_a):
            raise LoadError(f"The matrices at {self.place.key} do not fit its weight {list(weight.shape)}.")
        update, weight = lora_b @ lora_a, weight.to(lora_a)
        norm, theirs = (vector_norm(weight + by * update, dim=1) for by in (scale, 1.0))
        magnitude: Tensor = self._mine("m.weight", dims=2)[:, 0] * norm / theirs
        return magnitude

    def _mine(self, tensor: str, dims: int | None = None) -> Tensor:
        """One tensor; of a fused map the rows of this part."""
        found = self.source.take(self.stem + tensor, dims=dims)
        if self.part is None:
            return found
        index, count = self.part
        if found.dim() == 0 or len(found) % count:
            raise LoadError(
                f"The tensor {self.stem + tensor} {list(found.shape)} cannot be cut into {count} parts."
            )
        return found.chunk(count)[index]


def adapted_letters(config: MethodConfig) -> str:
    """Those of q, k and v that a config aims at."""
    targets = getattr(config, "targets", ())
    return "".join(letter for letter in "qkv" if letter in targets)


def _targets(given: Mapping[str, Any], names: PeerNames) -> tuple[str, ...]:
    found = [letter for letter in "qkv" if given["selfattn_lora"] and letter in given["attn_matrices"]]
    found += [names.intermediate] if given["intermediate_lora"] else []
    return tuple(found + ([names.output] if given["output_lora"] else []))
