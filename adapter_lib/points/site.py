"""Where a method changes a sub-layer's output h, knowing its residual r and the norm of h + r."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Part, SiteState, evaluate
from adapter_lib.families import Site
from adapter_lib.points.base import Point, hang, like_of, replace_first, unhang
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError


class SitePoint(Point):
    """Catches r on its way into one module and changes h on its way out of another.

    The model's own add and norm follow. Where an adapter wants no norm after it, the norm's output is
    replaced by what the adapter made (post-norm), or r is taken off h before the model adds it again
    (pre-norm). The residual is kept on the point between two hooks of one forward: threads must not share a
    model.
    """

    def __init__(self, place: Place, site: Site, layer: nn.Module) -> None:
        super().__init__(place)
        # In tuples, so that the model's modules do not become children of the point.
        self._out = (layer.get_submodule(site.out),)
        self._res = (layer.get_submodule(site.res),)
        self._norm = (layer.get_submodule(site.norm),) if site.norm else ()
        self._layer = (layer,)
        self._residual: Tensor | None = None
        self._final: tuple[bool | Tensor, Tensor] | None = None
        self._is_norm_hooked = False

    def install(self) -> None:
        """Hook the model."""
        hang(self._out[0], f"site_{self.place.role}", self)
        self.handles.append(self._res[0].register_forward_pre_hook(self._catch, with_kwargs=True))
        self.handles.append(self._out[0].register_forward_hook(self._act))

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self._out[0], f"site_{self.place.role}")

    def add(self, name: str, part: Part) -> None:
        super().add(name, part)
        if part.overrides_norm() and self._norm and not self._is_norm_hooked:
            self.handles.append(self._norm[0].register_forward_hook(self._overrule))
            self._is_norm_hooked = True

    def like(self) -> Tensor:
        return like_of(self._layer[0])

    def _catch(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.plan is not None:
            self._residual = args[0] if args else kwargs["hidden_states"]

    def _act(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        if self.plan is None:
            return output
        return replace_first(output, self._change)

    def _change(self, h: Tensor) -> Tensor:
        if self.plan is None or self._residual is None:
            raise AttachError(
                f"{self.place.role} of layer {self.place.layer} ran without its residual having been seen."
            )
        r, self._residual = self._residual, None
        # The norm's `forward`, not the norm: hooks on it belong to the model's own call.
        norm = self._norm[0].forward if self._norm else None
        after = evaluate(self.plan, SiteState(h, r, norm))
        if after.final is False:
            return after.h
        if norm is None:
            return after.h - r if after.final is True else torch.where(after.final, after.h - r, after.h)
        self._final = (after.final, after.h)
        return after.h

    def _overrule(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        if self._final is None:
            return output
        (final, h), self._final = self._final, None
        return h if final is True else torch.where(final, h, output)  # type: ignore[arg-type]
