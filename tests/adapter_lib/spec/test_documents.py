"""What the documents of fusions, heads and embeddings have in common, and what each says."""

import json
from typing import Any

import pytest

from adapter_lib.spec.block_manifest import BlockManifest, parse_block_manifest
from adapter_lib.spec.composition import parse_composition
from adapter_lib.spec.configs import FusionConfig, RouteConfig
from adapter_lib.spec.documents import ManifestError, parse_document
from adapter_lib.spec.embedding_manifest import EmbeddingManifest, parse_embedding_manifest
from adapter_lib.spec.head_manifest import HeadManifest, parse_head_manifest
from adapter_lib.spec.heads import ClassificationSpec
from tests.adapter_lib.spec.test_setup_manifest import ORIGIN

HEAD = ClassificationSpec(("no", "yes"), pooling="mean", layers=2, activation="relu", dropout=0.25)
DOCUMENTS: list[tuple[Any, Any]] = [
    (
        BlockManifest("fuse", "a,b", FusionConfig(temperature=True), ("a", "b"), 2, ORIGIN),
        parse_block_manifest,
    ),
    (BlockManifest("route", "r", RouteConfig(top_k=1), ("a",), 3, ORIGIN, "h", HEAD), parse_block_manifest),
    (HeadManifest("h", HEAD, ORIGIN), parse_head_manifest),
    (EmbeddingManifest("de", 30, 0, True, ORIGIN), parse_embedding_manifest),
    (EmbeddingManifest("de", 30, None, False, ORIGIN), parse_embedding_manifest),
]


@pytest.mark.parametrize(("document", "parse"), DOCUMENTS)
def test_what_is_written_is_read(document: Any, parse: Any) -> None:
    assert parse(document.to_json()) == document
    assert parse(document.to_json().encode()).to_json() == document.to_json()


@pytest.mark.parametrize(("document", "parse"), DOCUMENTS)
def test_every_member_is_needed_and_no_other_is_taken(document: Any, parse: Any) -> None:
    values = json.loads(document.to_json())
    for key in values:
        with pytest.raises(ManifestError):
            parse({name: value for name, value in values.items() if name != key})
    with pytest.raises(ManifestError, match="'more' is not a known key"):
        parse(values | {"more": 1})
    with pytest.raises(ManifestError, match="none of this library's"):
        parse(values | {"format": "other"})
    with pytest.raises(ManifestError, match="newer schema version than this library reads"):
        parse(values | {"schema_version": 10**9})


def test_errors_quote_little_of_what_a_stranger_wrote() -> None:
    def read(fields: Any) -> None:
        parse_composition(fields.mapping("tree"))

    values = {"format": "adapter_lib", "schema_version": 2, "tree": {"type": "x" * 10_000, "children": []}}
    with pytest.raises(ManifestError) as caught:
        parse_document(values, "file", {2: read}, str)
    assert len(str(caught.value)) < 600
