"""Linear maps, told by their shape; and the effect that a disturbance of one has on another."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from adapter_lib.families.inference.trace import removing


def is_linear(module: nn.Module) -> bool:
    """True for Linear, its like, and GPT-2's transposed Conv1D."""
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def widths(module: nn.Module) -> tuple[int, int]:
    """(in, out) of a linear map."""
    rows, columns = (int(size) for size in module.get_parameter("weight").shape)
    return (columns, rows) if isinstance(module, nn.Linear) else (rows, columns)


class Effects:
    """What reaches one module when the first output of another is disturbed; a forward for each question."""

    def __init__(self, run: Callable[[], object], taker: nn.Module) -> None:
        self.run = run
        self.taker = taker
        self.plain = self._reaching(taker, lambda out: out)

    def of(self, module: nn.Module, columns: Tensor, position: int | None, size: float) -> Tensor:
        """Noise on some columns of a module's output, at one position of every row or at all of them."""
        noise = torch.randn(len(columns), generator=torch.Generator().manual_seed(1)) * size

        def disturb(out: Tensor) -> Tensor:
            out = out.clone()
            if position is None:
                out[..., columns] += noise.to(out)
            else:
                out[:, position, columns] += noise.to(out)
            return out

        return self._reaching(module, disturb) - self.plain

    def _reaching(self, module: nn.Module, disturb: Callable[[Tensor], Tensor]) -> Tensor:
        seen: list[Tensor] = []
        calls: list[None] = []

        def on_first(module: nn.Module, args: Any, out: Tensor) -> Tensor:
            calls.append(None)
            return disturb(out) if len(calls) == 1 else out

        take = self.taker.register_forward_pre_hook(lambda taker, args: seen.append(args[0].clone()))
        with removing(take, module.register_forward_hook(on_first)), torch.no_grad():
            self.run()
        return seen[0]


def is_twice(twice: Tensor, once: Tensor) -> bool:
    """True if an effect is twice another: the way there is linear."""
    return bool((twice - 2 * once).norm() < 1e-3 * once.norm())
