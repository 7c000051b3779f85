"""Where a method changes a sub-layer's output h, knowing its residual r and the norm of h + r."""

from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.engine import Call, Part, Several, SiteState, evaluate
from adapter_lib.families import Site, paths
from adapter_lib.points.base import Point, first_input, hang, like_of, replace_first, unhang
from adapter_lib.spec.configs import Place
from adapter_lib.spec.errors import AttachError


class SitePoint(Point):
    """Catches r on its way into one module and changes h on its way out of another.

    The model's own add and norm follow. Where an adapter wants no norm after it, the norm's output is
    replaced by what the adapter made (post-norm), or r is taken off h before the model adds it again
    (pre-norm). The residual is kept on the point between two hooks of one forward: threads must not share a
    model.
    """

    def __init__(self, place: Place, site: Site, layer: nn.Module, call: Call) -> None:
        super().__init__(place, call)
        path, _, number = site.out.partition("#")
        # In tuples, so that the model's modules do not become children of the point.
        self._layer = (layer,)
        self._out = (paths.get(layer, path),)
        self._res = (paths.get(layer, site.caught),)
        self._added = tuple(paths.get(layer, other) for other in site.added)
        self._norm = (paths.get(layer, site.norm),) if site.norm else ()
        # A module that runs several times within a layer: the call that follows the residual is meant. (Calls
        # are not counted: gradient checkpointing runs a layer again without running the hooks on it.)
        self._is_repeated = bool(number)
        self._is_flat = site.flat
        self._scale = float(getattr(layer, site.scale)) if site.scale is not None else 1.0
        self._residual: Tensor | None = None
        self._final: tuple[bool | Tensor, Tensor] | None = None
        self._is_norm_hooked = False

    def install(self) -> None:
        hang(self._layer[0], f"site_{self.place.role}", self)
        self.handles.append(self._res[0].register_forward_pre_hook(self._catch, with_kwargs=True))
        self.handles += [module.register_forward_hook(self._catch_more) for module in self._added]
        self.handles.append(self._out[0].register_forward_hook(self._act))

    def uninstall(self) -> None:
        self.drop_hooks()
        unhang(self._layer[0], f"site_{self.place.role}")

    def add(self, name: str, part: Part | Several) -> None:
        super().add(name, part)
        members = part.members() if isinstance(part, Several) else [part]
        if self._norm and not self._is_norm_hooked and any(member.overrides_norm() for member in members):
            self.handles.append(self._norm[0].register_forward_hook(self._overrule))
            self._is_norm_hooked = True

    def like(self) -> Tensor:
        return like_of(self._layer[0])

    def _catch(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.plan is not None:
            self._residual = first_input(args, kwargs)

    def _catch_more(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self.plan is not None and self._residual is not None:
            self._residual = self._residual + (output[0] if isinstance(output, tuple) else output)

    def _act(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        if self.plan is None or (self._is_repeated and self._residual is None):
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
        # The model multiplies h by the scale after us: adapters see it as it will be added.
        scaled = h if self._scale == 1.0 else h * self._scale
        state = SiteState(self._in_rows(scaled), self._in_rows(r), norm, info=self.info())
        found = self._out_of(evaluate(self.plan, state), state.r).reshape(h.shape)
        return found if self._scale == 1.0 else found / self._scale

    def _out_of(self, after: SiteState, r: Tensor) -> Tensor:
        """What the module hands on, so that the model's own add and norm make the state of it."""
        if after.final is False:
            return after.h
        if not self._norm:
            return after.h - r if after.final is True else torch.where(after.final, after.h - r, after.h)
        self._final = (after.final, after.h)
        return after.h

    def _in_rows(self, tensor: Tensor) -> Tensor:
        """[rows · tokens, width] as [rows, tokens, width], where the number of rows is known."""
        rows = self.call.rows
        if not self._is_flat or tensor.dim() != 2 or rows is None or tensor.shape[0] % rows:
            return tensor
        return tensor.view(rows, -1, tensor.shape[-1])

    def _overrule(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        if self._final is None:
            return output
        (final, h), self._final = self._final, None
        if h.shape != output.shape:
            # The site's states stand token by token, and the norm's in sequences.
            h = h.view(output.shape)
            final = final if isinstance(final, bool) else final.view(*output.shape[:-1], 1)
        return h if final is True else torch.where(final, h, output)  # type: ignore[arg-type]
