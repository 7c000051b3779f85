"""The index's fields, and a document as the index takes it."""

import functools
import re

import tantivy

from hubsite.search.analysis import ANALYZER, clean
from hubsite.search.document import Document
from hubsite.search.file_sizes import size_class
from hubsite.search.request import FacetName, Sort

# Raise it with every change to fields, analysis or stored rows: an index of another version is rebuilt.
VERSION = 2

# The repo's id: as text, by which documents are replaced, and as a number, which is read in columns.
KEY = "key"
REPO = "repo"
READERS = "readers"
PUBLIC = "public"
STORED = "stored"

# Weight of a word by the field it stands in (BM25 boosts).
TEXT_FIELDS = {
    "name_words": 5.0,
    "task_words": 4.0,
    "method_words": 4.0,
    "backbone_words": 3.0,
    "dataset_words": 3.0,
    "language_words": 2.0,
    "namespace_words": 2.0,
    "summary_words": 2.0,
    "config_words": 1.5,
    "license_words": 1.0,
    "body_words": 1.0,
}

# Orders are numbers of 64 bits: the value in the upper half, the second of publication in the lower,
# so that equal rows come newest first and pages never overlap.
ORDER_FIELDS = {
    Sort.SCORE: "by_score",
    Sort.DOWNLOADS: "by_downloads",
    Sort.LIKES: "by_likes",
    Sort.NEWEST: "by_newest",
}
_HALF = 2**32


@functools.cache
def schema() -> tantivy.Schema:
    """The schema of `VERSION`."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field(KEY, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field(REPO, fast=True)
    builder.add_text_field(READERS, tokenizer_name="raw", index_option="basic")
    for facet in FacetName:
        builder.add_text_field(facet.value, tokenizer_name="raw", index_option="basic", fast=True)
    for name in TEXT_FIELDS:
        builder.add_text_field(name, tokenizer_name=ANALYZER)
    for name in ORDER_FIELDS.values():
        builder.add_unsigned_field(name, fast=True)
    builder.add_bytes_field(STORED, stored=True)
    return builder.build()


def reader_key(owner_id: int) -> str:
    """The `readers` term of the user who may see the private documents of their namespace."""
    return f"owner:{owner_id}"


def to_tantivy(document: Document) -> tantivy.Document:
    """The document with every field filled."""
    result = tantivy.Document()
    hit = document.hit
    result.add_text(KEY, str(document.repo_id))
    result.add_unsigned(REPO, document.repo_id)
    result.add_text(READERS, reader_key(document.owner_id) if hit.private else PUBLIC)
    for facet, values in facet_values(document).items():
        for value in values:
            result.add_text(facet.value, clean(value))
    for name, text in _texts(document).items():
        result.add_text(name, clean(text))
    for name, number in _orders(document).items():
        result.add_unsigned(name, number)
    result.add_bytes(STORED, hit.to_json())
    return result


def facet_values(document: Document) -> dict[FacetName, tuple[str, ...]]:
    """The document's values per facet; empty ones are left out, so that they are no option."""
    hit = document.hit
    single = {
        FacetName.TASK: hit.task,
        FacetName.DATASET: hit.dataset.lower(),
        FacetName.BACKBONE: hit.backbone,
        FacetName.METHOD: hit.method,
        FacetName.LICENSE: hit.license.lower(),
        FacetName.BADGE: hit.badge.value,
        FacetName.FILE_SIZE: size_class(hit.size) if hit.size is not None else "",
    }
    values = {facet: (value,) for facet, value in single.items() if value}
    return values | {FacetName.LANGUAGE: hit.languages}


def _texts(document: Document) -> dict[str, str]:
    hit = document.hit
    return {
        "name_words": _with_parts(hit.name),
        "task_words": f"{hit.task} {hit.task_name}",
        "method_words": hit.method,
        "backbone_words": " ".join(_with_parts(name) for name in (hit.backbone, *document.backbone_aliases)),
        "dataset_words": hit.dataset,
        "language_words": " ".join((*hit.languages, *hit.language_names)),
        "namespace_words": hit.namespace,
        "summary_words": hit.summary,
        "config_words": hit.config,
        "license_words": hit.license,
        "body_words": document.body,
    }


def _with_parts(name: str) -> str:
    """The name, and its parts where only a change of case divides them: `MiniLM` is found by `mini`."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return name if parts == name else f"{name} {parts}"


def _orders(document: Document) -> dict[str, int]:
    hit = document.hit
    second = max(0, min(int(hit.published_at.timestamp()), _HALF - 1))
    score = round(hit.score.value * 1e9) + 1 if hit.score else 0
    return {
        ORDER_FIELDS[Sort.SCORE]: _pair(score, second),
        ORDER_FIELDS[Sort.DOWNLOADS]: _pair(hit.downloads, second),
        ORDER_FIELDS[Sort.LIKES]: _pair(hit.likes, second),
        ORDER_FIELDS[Sort.NEWEST]: int(max(0.0, hit.published_at.timestamp()) * 1_000_000),
    }


def value_of(order: int) -> int:
    """The downloads or likes in a document's order field."""
    return order // _HALF


def _pair(value: int, second: int) -> int:
    return max(0, min(value, _HALF - 1)) * _HALF + second
