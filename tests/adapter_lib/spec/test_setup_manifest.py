"""Set-up manifests without a model: what is written is read, and only that."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter_lib.spec.composition import Average, Fuse, Parallel, Route, Stack
from adapter_lib.spec.documents import BackboneRef, ManifestError, Origin
from adapter_lib.spec.setup_manifest import Entry, SetupManifest, parse_setup_manifest

ORIGIN = Origin("bert", "ab" * 32, BackboneRef("someone/tiny", None, "fe" * 32, "bert", 32, 2), "0.1.0")
WHOLE = SetupManifest(
    composition=Stack(
        "a", Average(Fuse("a", "b"), "b", weights=[0.1, 0.9]), Parallel("a", Route("b", name="r"))
    ),
    skip_layers=(0, 5),
    active_heads=("a", "free"),
    adapters=(Entry("a", "adapters/a"), Entry("b", "adapters/b")),
    heads=(Entry("free", "heads/free"),),
    blocks={("fuse", "a,b"): Entry("a,b", "blocks/a_b"), ("route", "r"): Entry("r", "blocks/r")},
    shared=(("a", "b"),),
    embeddings=Entry("de", "embeddings/de"),
    origin=ORIGIN,
)


def test_what_is_written_is_read() -> None:
    assert parse_setup_manifest(WHOLE.to_json()) == WHOLE
    assert parse_setup_manifest(json.loads(WHOLE.to_json())).to_json() == WHOLE.to_json()


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value of a document is."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in pairs for found in _paths(item, (*path, key)))][bool(not path) :]


PATHS = _paths(json.loads(WHOLE.to_json()))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just(["a", "b"]),
    st.just({"type": "stack", "children": ["a"]}),
)


@given(st.sampled_from(PATHS), VALUES)
def test_any_value_anywhere_raises_manifest_errors_only(path: tuple[Any, ...], value: Any) -> None:
    document = json.loads(WHOLE.to_json())
    target = document
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with contextlib.suppress(ManifestError):
        found = parse_setup_manifest(document)
        assert parse_setup_manifest(found.to_json()) == found


@pytest.mark.parametrize("path", [path for path in PATHS if isinstance(path[-1], str)], ids=str)
def test_every_key_is_needed(path: tuple[Any, ...]) -> None:
    """Settings of composition blocks have defaults; everything else is there or the file is refused."""
    document = json.loads(WHOLE.to_json())
    target = document
    for key in path[:-1]:
        target = target[key]
    del target[path[-1]]
    if path[0] == "composition" and path[-1] in ("name", "weights", "normalize_weights"):
        return
    with pytest.raises(ManifestError):
        parse_setup_manifest(document)
