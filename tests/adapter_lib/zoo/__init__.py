"""Tiny random models of every architecture with a role table: 32 wide, two layers per tower.

`MODELS["bert"].build()`, `.with_head()`, `.inputs(rows=3, side="right")`; `output(model, **inputs)`.
"""

from tests.adapter_lib.zoo.audio import AUDIO
from tests.adapter_lib.zoo.decoders import DECODERS
from tests.adapter_lib.zoo.encoders import ENCODERS
from tests.adapter_lib.zoo.multimodal import MULTIMODAL
from tests.adapter_lib.zoo.seq2seq import SEQ2SEQ
from tests.adapter_lib.zoo.tiny_model import TinyModel, output, stirred
from tests.adapter_lib.zoo.vision import VISION

_ALL = (*ENCODERS, *DECODERS, *SEQ2SEQ, *VISION, *AUDIO, *MULTIMODAL)
MODELS: dict[str, TinyModel] = {tiny.name: tiny for tiny in _ALL}
assert len(MODELS) == len(_ALL), "two tiny models of one name"


def of_kind(*kinds: str) -> tuple[str, ...]:
    """The names of the models of these kinds."""
    return tuple(name for name, tiny in MODELS.items() if tiny.kind in kinds)


__all__ = ["MODELS", "TinyModel", "of_kind", "output", "stirred"]
