"""Repositories as the JSON objects of `info` and of lists (hf_protocol 3.3): one function per key."""

from collections.abc import Callable, Iterable
from typing import Any

from hubsite.hfapi.facts import RepoFacts
from hubsite.hfapi.responses import timestamp
from hubsite.hfapi.tags import library_of, tags_of
from hubsite.registry.models import RepoKind
from hubsite.registry.selectors.trees import FileItem

# Python keywords of the client's own constructor, which unpacks the front matter into it.
_NOT_FRONT_MATTER = frozenset({"self", "ignore_metadata_errors"})
# `blobs` asks for another form of one key.
_WITH_SIZES = "+blobs"
# Keys without a value are left out: clients take absence for "unknown" and stumble over some nulls.
_Describe = Callable[[RepoFacts], Any]


def describe(facts: RepoFacts, keys: Iterable[str]) -> dict[str, Any]:
    """The object with `id` and those of `keys` that are known and have a value."""
    body: dict[str, Any] = {"id": facts.repo.full_name}
    for key in keys:
        value = KEYS[key](facts) if key in KEYS else None
        if value is not None:
            body[key.removesuffix(_WITH_SIZES)] = value
    return body


def _sizes(file: FileItem) -> dict[str, Any]:
    """What `blobs=true` adds to a file; here the key is `sha256`, in trees it is `oid`."""
    body: dict[str, Any] = {"rfilename": file.path, "size": file.size, "blobId": file.oid}
    if file.lfs:
        body["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": file.pointer_size}
    return body


def _siblings(facts: RepoFacts) -> list[dict[str, Any]] | None:
    return None if facts.files is None else [{"rfilename": file.path} for file in facts.files]


def _siblings_with_sizes(facts: RepoFacts) -> list[dict[str, Any]] | None:
    return None if facts.files is None else [_sizes(file) for file in facts.files]


def _config(facts: RepoFacts) -> dict[str, Any] | None:
    if facts.backbone is None:
        return None
    if facts.repo.kind == RepoKind.BACKBONE or facts.card is None:
        return {"model_type": facts.backbone.model_type}
    return {
        "model_type": facts.backbone.model_type,
        "adapter_lib": {"method": facts.card.method, "backbone": facts.backbone.name},
    }


def _card_data(facts: RepoFacts) -> dict[str, Any] | None:
    front = {key: value for key, value in facts.front.items() if key not in _NOT_FRONT_MATTER}
    return front or None


def _pipeline_tag(facts: RepoFacts) -> str | None:
    tag = facts.front.get("pipeline_tag")
    return tag if isinstance(tag, str) else None


KEYS: dict[str, _Describe] = {
    "modelId": lambda facts: None if facts.repo.is_dataset else facts.repo.full_name,
    "author": lambda facts: facts.repo.namespace.name,
    "sha": lambda facts: facts.commit and facts.commit.sha,
    "hubState": lambda facts: facts.commit and facts.commit.state,
    "lastModified": lambda facts: timestamp((facts.commit or facts.repo).created_at),
    "createdAt": lambda facts: timestamp(facts.repo.created_at),
    "private": lambda facts: facts.repo.private,
    "gated": lambda _facts: False,
    "disabled": lambda _facts: False,
    "downloads": lambda facts: facts.repo.downloads,
    "likes": lambda facts: facts.repo.likes,
    "tags": tags_of,
    "library_name": lambda facts: library_of(facts) or None,
    "pipeline_tag": _pipeline_tag,
    "config": _config,
    "cardData": _card_data,
    "siblings": _siblings,
    "siblings" + _WITH_SIZES: _siblings_with_sizes,
    "usedStorage": lambda facts: None if facts.files is None else sum(file.size for file in facts.files),
}
INFO_KEYS = tuple(key for key in KEYS if not key.endswith(_WITH_SIZES))
INFO_KEYS_WITH_SIZES = tuple(key for key in KEYS if key != "siblings")
