"""Where A and B of a low-rank update start; `LoRAConfig` tells what each name means."""

from collections.abc import Callable

import torch
from torch import Tensor

from adapter_lib.spec.configs import Place

Weight = Callable[[], Tensor]


def start(name: str, a: Tensor, b: Tensor, place: Place, weight: Weight, scale: float) -> None:
    """Give A and B of a place the values of a named start. scale: the s that B A will be multiplied by."""
    with torch.no_grad():
        if name == "pissa":
            put(a, b, *principal(as_matrix(weight(), place), b.shape[-1], scale))
        elif name == "olora":
            put(a, b, *orthonormal(as_matrix(weight(), place), b.shape[-1]))
        else:
            _RANDOM.get(name, _kaiming)(a, b, place)


def principal(weight: Tensor, rank: int, scale: float) -> tuple[Tensor, Tensor]:
    """(A, B) such that s · B A is the best approximation of rank r of a weight [..., out, in]."""
    u, s, v = torch.linalg.svd(weight, full_matrices=False)
    root = (s[..., :rank] / scale).sqrt()
    return root.unsqueeze(-1) * v[..., :rank, :], u[..., :rank] * root.unsqueeze(-2)


def orthonormal(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """(A, B): the first r rows of R and columns of Q in W = Q R, for a weight [..., out, in]."""
    q, r = torch.linalg.qr(weight)
    return r[..., :rank, :], q[..., :rank]


def as_matrix(weight: Tensor, place: Place) -> Tensor:
    """A weight as a matrix [..., out, in], in a type that can be decomposed."""
    flat = weight.flatten(1) if place.kind == "conv" else weight
    return flat if flat.dtype == torch.float64 else flat.float()


def put(a: Tensor, b: Tensor, new_a: Tensor, new_b: Tensor) -> None:
    """Write A and B; a convolution's A was a matrix so far."""
    a.copy_(new_a.reshape(a.shape))
    b.copy_(new_b)


def _kaiming(a: Tensor, b: Tensor, place: Place) -> None:
    if place.kind == "embedding":
        # Ids pick columns of A: were these small and B zero, B would hardly move at first.
        a.zero_()
        b.normal_()
        return
    # Kaiming-uniform with a = √5, per row of A and per expert.
    bound = (a.shape[-1] if place.kind == "experts" else a[0].numel()) ** -0.5
    a.uniform_(-bound, bound)
    b.zero_()


def _gaussian(a: Tensor, b: Tensor, place: Place) -> None:
    a.normal_(std=1 / b.shape[-1])
    b.zero_()


def _bert(a: Tensor, b: Tensor, place: Place) -> None:
    a.normal_(std=0.02)
    b.normal_(std=0.02)


def _orthogonal(a: Tensor, b: Tensor, place: Place) -> None:
    """A = E X and B = Y O with the even and odd rows of one orthogonal matrix, so that B A = 0."""
    q, _ = torch.linalg.qr(torch.randn(b.shape[-1], b.shape[-1], dtype=torch.float64, device=a.device))
    even, odd = q[0::2], q[1::2]
    flat = a.flatten(1) if place.kind == "conv" else a
    x = torch.randn(*flat.shape[:-2], len(even), flat.shape[-1], dtype=q.dtype, device=a.device)
    y = torch.randn(*b.shape[:-1], len(odd), dtype=q.dtype, device=a.device)
    put(a, b, even.t() @ x / 10, y @ odd / 10)


_RANDOM: dict[str, Callable[[Tensor, Tensor, Place], None]] = {
    "gaussian": _gaussian,
    "bert": _bert,
    "orthogonal": _orthogonal,
}
