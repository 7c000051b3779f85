"""FourierFT; the equation stands at `FourierFTConfig`."""

import torch
from torch import Tensor, nn

from adapter_lib.methods.dense_update import DenseUpdate
from adapter_lib.methods.registry import Method, register_method
from adapter_lib.spec.configs import FourierFTConfig, Shapes


class FourierFT(DenseUpdate):
    """The learned entries of the spectrum [n_frequency], and where they stand."""

    config: FourierFTConfig
    spectrum: nn.Parameter
    where: Tensor

    def make(self, shapes: Shapes, like: Tensor) -> None:
        super().make(shapes, like)
        generator = torch.Generator().manual_seed(self.config.seed)
        order = torch.randperm(self.place.width_out * self.place.width_in, generator=generator)
        where = order[: self.config.n_frequency].clone().to(like.device)
        # Follows from the config, so it is not saved.
        self.register_buffer("where", where, persistent=False)

    def initialise(self) -> None:
        if self.config.init == "zeros":
            nn.init.zeros_(self.spectrum)
        else:
            nn.init.normal_(self.spectrum)

    def delta(self) -> Tensor:
        values = self.spectrum if self.spectrum.dtype == torch.float64 else self.spectrum.float()
        shape = (self.place.width_out, self.place.width_in)
        frequencies = values.new_zeros(shape[0] * shape[1]).scatter(0, self.where, values)
        delta: Tensor = torch.fft.ifft2(frequencies.view(shape)).real
        return (delta * self.config.scaling).to(self.spectrum.dtype)


register_method(
    Method(
        name="fourierft",
        config=FourierFTConfig,
        part=FourierFT,
        presets=("fourierft",),
        summary="An update given by a few of its frequencies.",
        paper="https://arxiv.org/abs/2405.03003",
        learning_rate=5e-2,
    )
)
