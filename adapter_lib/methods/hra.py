"""HRA; the equation stands at `HRAConfig`."""

import math

import torch
from torch import Tensor, nn

from adapter_lib.methods.registry import Method, register_method
from adapter_lib.methods.rotation import Rotation
from adapter_lib.spec.configs import HRAConfig


class HRA(Rotation):
    """The u_i [r, in] start Kaiming-uniform in equal pairs: nothing changes at first but by rounding."""

    config: HRAConfig
    u: nn.Parameter

    def initialise(self) -> None:
        half = torch.empty_like(self.u[::2])
        nn.init.kaiming_uniform_(half, a=math.sqrt(5))
        with torch.no_grad():
            self.u.copy_(half.repeat_interleave(2, dim=0))

    def turned(self, x: Tensor) -> Tensor:
        u: Tensor = self.u if self.u.dtype == torch.float64 else self.u.float()
        u = u / torch.linalg.vector_norm(u, dim=-1, keepdim=True)
        # H₁ … H_r = I - Uᵀ T U with T⁻¹ = ½ I + the part of U Uᵀ above the diagonal.
        identity = torch.eye(len(u), dtype=u.dtype, device=u.device)
        inverse = torch.triu(u @ u.t(), 1) + identity / 2
        t: Tensor = torch.linalg.solve_triangular(inverse, identity, upper=True)
        return -(x.to(u.dtype) @ u.t() @ t.t() @ u)


register_method(
    Method(
        name="hra",
        config=HRAConfig,
        part=HRA,
        presets=("hra",),
        summary="A chain of reflections of the inputs of linear maps: orthogonal and of low rank at once.",
        paper="https://arxiv.org/abs/2405.17484",
        learning_rate=1e-3,
        no_mean="u and -u are one reflection, so that the mean of two equal adapters may be nothing",
    )
)
