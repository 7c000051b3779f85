"""A transformer written with nothing but PyTorch, and two that cannot be read as one."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Four heads over all tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (to(x).unflatten(-1, (4, -1)).transpose(1, 2) for to in (self.to_q, self.to_k, self.to_v))
        mixed: Tensor = self.to_out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return mixed


class Block(nn.Module):
    """Pre-norm, gated feed-forward; `adds` False leaves out the residuals."""

    def __init__(self, width: int, adds: bool) -> None:
        super().__init__()
        self.adds = adds
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width)
        self.open_, self.widen, self.narrow = nn.Linear(width, 48), nn.Linear(width, 48), nn.Linear(48, width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.attention(self.first_norm(x))
        x = x + y if self.adds else y
        y = self.second_norm(x)
        y = self.narrow(torch.sigmoid(self.open_(y)) * self.widen(y))
        return x + y if self.adds else y


class Transformer(nn.Module):
    """Tokens to hidden states."""

    def __init__(self, adds: bool = True) -> None:
        super().__init__()
        self.words = nn.Embedding(120, 32)
        self.blocks = nn.ModuleList([Block(32, adds) for _ in range(2)])
        self.end_norm = nn.LayerNorm(32)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.words(ids)
        for block in self.blocks:
            x = block(x)
        normed: Tensor = self.end_norm(x)
        return normed


class Convolutions(nn.Module):
    """Layers, but of no transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(3, 3, 3, padding=1) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = x + layer(x)
        return x
