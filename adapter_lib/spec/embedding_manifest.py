"""`embedding_config.json`: what embeddings of a vocabulary say of themselves, beside their weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.spec.composition import check_adapter_name
from adapter_lib.spec.documents import Origin, no_document, parse_document, read_origin, to_text
from adapter_lib.spec.fields import Fields
from adapter_lib.spec.schema import FORMAT

EMBEDDING_FILE = "embedding_config.json"
EMBEDDING_WEIGHTS = "embedding.safetensors"
TOKENIZER_FOLDER = "tokenizer"
# More tokens than any vocabulary has.
MAX_TOKENS = 100_000_000


@dataclass(frozen=True)
class EmbeddingManifest:
    """A parsed `embedding_config.json`.

    tokens: how many the vocabulary has. padding: the id of the one that pads, None for none.
    has_tokenizer: the tokenizer's files are in the folder `tokenizer`.
    """

    name: str
    tokens: int
    padding: int | None
    has_tokenizer: bool
    origin: Origin

    def to_json(self) -> str:
        """The file's text; `parse_embedding_manifest` gives an equal manifest back."""
        document = {
            "format": FORMAT,
            "schema_version": 2,
            "name": self.name,
            "tokens": self.tokens,
            "padding": self.padding,
            "has_tokenizer": self.has_tokenizer,
            **self.origin.to_dict(),
        }
        return to_text(document)


def parse_embedding_manifest(data: bytes | str | Mapping[str, Any]) -> EmbeddingManifest:
    """Parse an `embedding_config.json`. Raises ManifestError, with the codes of `parse_manifest`."""
    return parse_document(data, EMBEDDING_FILE, _READERS, no_document(EMBEDDING_FILE))


def _read_2(fields: Fields) -> EmbeddingManifest:
    tokens = fields.integer("tokens", 1, MAX_TOKENS)
    return EmbeddingManifest(
        name=check_adapter_name(fields.text("name")),
        tokens=tokens,
        padding=fields.integer_or_none("padding", 0, tokens - 1),
        has_tokenizer=fields.flag("has_tokenizer"),
        origin=read_origin(fields),
    )


_READERS: dict[int, Callable[[Fields], EmbeddingManifest]] = {2: _read_2}
