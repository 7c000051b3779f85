"""Embeddings of a vocabulary: `embedding_config.json`, `embedding.safetensors`, and the tokenizer's files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import AutoTokenizer

from adapter_lib.formats.atomic import whole_folder, write_tensors
from adapter_lib.formats.expected import Shape
from adapter_lib.formats.inspecting import Weights, check_weights, read_bytes
from adapter_lib.formats.report import SaveReport
from adapter_lib.inject import Atlas
from adapter_lib.spec.documents import Origin
from adapter_lib.spec.embedding_manifest import (
    EMBEDDING_FILE,
    EMBEDDING_WEIGHTS,
    TOKENIZER_FOLDER,
    EmbeddingManifest,
    parse_embedding_manifest,
)
from adapter_lib.spec.errors import LoadError

# What a head over tokens has, by role.
OUTPUT_ROLES = ("head", "bias", "logits_bias")
_OWN = (EMBEDDING_FILE, EMBEDDING_WEIGHTS, TOKENIZER_FOLDER)
_AUTO: Any = AutoTokenizer


def save(
    folder: Path,
    name: str,
    tensors: Mapping[str, Tensor],
    padding: int | None,
    tokenizer: Any,
    origin: Origin,
) -> SaveReport:
    """Write embeddings by role, and their tokenizer if there is one; the folder appears whole.

    Raises LoadError if it cannot be written.
    """
    if tokenizer is not None and not hasattr(tokenizer, "save_pretrained"):
        raise LoadError(f"{type(tokenizer).__name__} cannot be saved: give a tokenizer of transformers.")
    manifest = EmbeddingManifest(name, _count(tensors), padding, tokenizer is not None, origin)
    with whole_folder(folder, _OWN, f"The embeddings {name!r}") as made:
        size = write_tensors(tensors, made / EMBEDDING_WEIGHTS)
        if tokenizer is not None:
            tokenizer.save_pretrained(made / TOKENIZER_FOLDER)
        (made / EMBEDDING_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return SaveReport(folder, name, len(tensors), size)


@dataclass(frozen=True)
class InspectedEmbeddings:
    """A folder of embeddings, read as far as its header and found fit for a model."""

    folder: Path
    manifest: EmbeddingManifest
    weights: Weights


def inspect(atlas: Atlas, folder: Path, widths: Mapping[str, Shape], *, strict: bool) -> InspectedEmbeddings:
    """Read and check a folder of embeddings against a model; raises as `native.inspect` does.

    widths: the shapes of the model's own, by role; the one size that differs is the number of tokens. A
    model that has no head over tokens passes over what the file has for one.
    """
    manifest = parse_embedding_manifest(read_bytes(folder / EMBEDDING_FILE))
    expected = {role: _resized(shape, manifest.tokens) for role, shape in widths.items()}
    weights = check_weights(
        folder / EMBEDDING_WEIGHTS,
        lambda: expected,
        manifest.origin,
        atlas,
        strict=strict,
        passed_over=() if len(widths) > 1 else OUTPUT_ROLES,
    )
    if "tokens" not in weights.report("").matched:
        raise LoadError(f"{weights.path} holds no token embeddings {list(expected['tokens'])}.")
    return InspectedEmbeddings(folder, manifest, weights)


def read_tokenizer(found: InspectedEmbeddings) -> Any:
    """The tokenizer beside embeddings, or None. Raises LoadError for one that cannot be read or is larger."""
    if not found.manifest.has_tokenizer:
        return None
    folder = found.folder / TOKENIZER_FOLDER
    try:
        tokenizer = _AUTO.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    # The library that reads tokenizers raises plain Exception for files that it cannot read.
    except Exception as error:
        raise LoadError(f"The tokenizer in {folder} cannot be read: {str(error)[:300]}") from error
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if largest >= found.manifest.tokens:
        raise LoadError(
            f"The tokenizer in {folder} has the token {largest}, but there are embeddings for "
            f"{found.manifest.tokens} tokens."
        )
    return tokenizer


def _count(tensors: Mapping[str, Tensor]) -> int:
    return len(tensors["tokens"])


def _resized(shape: Shape, tokens: int) -> Shape:
    """[tokens], [tokens, width], or [1, tokens] for the bias of logits that some models keep so."""
    return (1, tokens) if len(shape) > 1 and shape[0] == 1 else (tokens, *shape[1:])
