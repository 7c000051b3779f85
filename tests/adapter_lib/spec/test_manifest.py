"""Manifests: strict about every member, and never anything but a ManifestError."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter_lib.spec.configs import (
    LoRAConfig,
    SeqBnConfig,
    UnionConfig,
    known_methods,
    known_presets,
)
from adapter_lib.spec.manifest import MAX_BYTES, ManifestError, foreign_format, parse_manifest
from adapter_lib.spec.strings import parse_config

GOOD: dict[str, Any] = {
    "format": "adapter_lib",
    "schema_version": 1,
    "method": "lora",
    "config": LoRAConfig(r=4, targets=("q", "v")).values(),
    "family": "bert",
    "role_table": "0123456789abcdef",
    "backbone": {
        "id": "sentence-transformers/all-MiniLM-L6-v2",
        "revision": None,
        "fingerprint": "fe" * 32,
        "model_type": "bert",
        "hidden_size": 384,
        "num_layers": 6,
    },
    "head": {"type": "classification", "labels": ["negative", "positive"], "pooling": "mean", "layers": 1},
    "library": {"name": "adapter_lib", "version": "0.1.0"},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """GOOD with one member set; `...` removes it."""
    copy = json.loads(json.dumps(GOOD))
    *parents, last = path.split(".")
    target = copy
    for parent in parents:
        target = target[parent]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return dict(copy)


def refusal(data: Any) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(data)
    assert str(caught.value) == caught.value.message
    return caught.value


# What some presets need to be told.
NEEDED = {"trainable_tokens": "[token_indices=[3, 5]]"}
PRESETS = [parse_config(name + NEEDED.get(name, "")) for name in known_presets()]
UNION = UnionConfig(
    configs=(LoRAConfig(r=2), SeqBnConfig(reduction_factor={"0": 8, "default": 2})), leave_out=(1,)
)


@pytest.mark.parametrize(
    "config",
    [
        LoRAConfig(r=2, alpha=4),
        SeqBnConfig(reduction_factor=8),
        SeqBnConfig(reduction_factor={"0": 8, "default": 2}),
        UNION,
        *PRESETS,
    ],
    ids=lambda config: config.name(),
)
def test_round_trip(config: Any) -> None:
    manifest = parse_manifest(GOOD | {"method": config.method, "config": config.values()})
    assert manifest.config == config
    assert parse_manifest(manifest.to_json()) == manifest
    assert parse_manifest(manifest.to_json().encode()) == manifest
    assert parse_manifest(manifest.to_dict()).to_json() == manifest.to_json()


def test_what_is_read() -> None:
    manifest = parse_manifest(GOOD)
    assert manifest.head is not None
    assert manifest.head.labels == ("negative", "positive")
    assert (manifest.head.activation, manifest.head.dropout) == ("tanh", 0.0)
    assert (manifest.backbone.hidden_size, manifest.backbone.revision) == (384, None)
    assert manifest.library_version == "0.1.0"


def test_an_adapter_without_a_head() -> None:
    assert parse_manifest(changed("head", None)).head is None


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("format", "peft", "foreign_format"),
        ("format", ..., "foreign_format"),
        ("schema_version", 3, "newer_schema"),
        ("schema_version", 10**90, "newer_schema"),
        ("schema_version", 0, "bad_value"),
        ("schema_version", True, "bad_value"),
        ("schema_version", ..., "missing_key"),
        ("extra", 1, "unknown_key"),
        ("backbone.extra", 1, "unknown_key"),
        ("head.extra", 1, "unknown_key"),
        ("library.extra", 1, "unknown_key"),
        ("head", ..., "missing_key"),
        ("head.labels", ..., "missing_key"),
        ("backbone.revision", ..., "missing_key"),
        ("config", ..., "missing_key"),
        ("method", "nonsense", "bad_value"),
        ("method", ["lora"], "bad_value"),
        ("config", [], "bad_value"),
        ("config", {"r": 4, "rank": 4}, "bad_value"),
        ("config", {"r": [[1]]}, "bad_value"),
        ("config", {"targets": [["q"]]}, "bad_value"),
        ("config", {"targets": [{}]}, "bad_value"),
        ("config.r", "4", "bad_value"),
        ("config.alpha", 10**90, None),
        ("family", "", "bad_value"),
        ("role_table", "xyz", "bad_value"),
        ("backbone", None, "bad_value"),
        ("backbone.id", "a\x00b", "bad_value"),
        ("backbone.id", "", None),
        ("backbone.hidden_size", -1, "bad_value"),
        ("backbone.hidden_size", 384.0, "bad_value"),
        ("backbone.num_layers", True, "bad_value"),
        ("backbone.revision", 5, "bad_value"),
        ("head.type", "oracle", "bad_value"),
        ("head.type", {}, "bad_value"),
        ("head.labels", [], "bad_value"),
        ("head.labels", "ab", "bad_value"),
        ("head.labels", ["a", "a"], "bad_value"),
        ("head.labels", ["a", ""], "bad_value"),
        ("head.labels", ["a", "x" * 501], "bad_value"),
        ("head.pooling", "max", "bad_value"),
        ("head.layers", 0, "bad_value"),
        ("head.dropout", 0.5, None),
        ("head.dropout", 2, "bad_value"),
        ("head.dropout", False, "bad_value"),
        ("head.activation", 3, "bad_value"),
        ("library", "adapter_lib", "bad_value"),
        ("library.name", "peft", "bad_value"),
    ],
)
def test_each_member_is_checked(path: str, value: Any, code: str | None) -> None:
    if code is None:
        parse_manifest(changed(path, value))
        return
    error = refusal(changed(path, value))
    assert error.code == f"manifest.{code}"
    if code in ("missing_key", "unknown_key") or path.count("."):
        assert path.split(".")[-1] in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        "[]",
        "null",
        '{"format": "adapter_lib", "format": "adapter_lib"}',
        '{"a": NaN}',
        "[" * 100_000,
        b" " * (MAX_BYTES + 1),
        "[" + "1," * 100_000 + "1]",
    ],
)
def test_what_is_not_json(data: bytes | str) -> None:
    assert refusal(data).code == "manifest.not_json"


def test_foreign_formats_are_named() -> None:
    peft = {"peft_type": "LORA", "r": 8}
    adapterhub = {"config": {}, "version": "adapters.1.0.0", "model_name": "bert-base-uncased"}
    assert "PEFT" in refusal(peft).message
    assert "AdapterHub" in refusal(adapterhub).message
    assert "does not say" in refusal({"a": 1}).message
    assert foreign_format(peft) == refusal(peft).message


def outcome(data: Any) -> str | None:
    """The code of the refusal, None if there was none; any other exception fails the test."""
    try:
        parse_manifest(data)
    except ManifestError as error:
        return error.code
    return None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
PATHS = [
    *GOOD,
    *(f"config.{key}" for key in GOOD["config"]),
    *(f"backbone.{key}" for key in GOOD["backbone"]),
    *(f"head.{key}" for key in GOOD["head"]),
]


@given(st.sampled_from(PATHS), JSON)
def test_any_value_anywhere_raises_manifest_errors_only(path: str, value: Any) -> None:
    data = changed(path, value)
    for form in (data, json.dumps(data)):
        assert outcome(form) is None or str(outcome(form)).startswith("manifest.")


@given(st.sampled_from(sorted(SeqBnConfig().values())), JSON)
def test_any_bottleneck_value_raises_manifest_errors_only(key: str, value: Any) -> None:
    values = SeqBnConfig().values() | {key: value}
    data = json.dumps(GOOD | {"method": "bottleneck", "config": values})
    assert outcome(data) in (None, "manifest.bad_value")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"configs": 3}, "configs must be a list of configs"),
        ({"configs": []}, "configs must be a list of configs"),
        ({"configs": [3]}, "A member of a union"),
        ({"configs": [{"method": "lora"}]}, "A member of a union"),
        ({"configs": [{"method": "lora", "config": {}, "more": 1}]}, "A member of a union"),
        ({"configs": [{"method": ["lora"], "config": {}}]}, "no adapter method"),
        ({"configs": [{"method": "lora", "config": {"rank": 1}}]}, "no key 'rank'"),
        ({"configs": [{"method": "lora", "config": {"r": [[[1]]]}}]}, "nested at most 4 deep"),
        ({"configs": [{"method": "union", "config": {"configs": [{}]}}]}, "nested at most 4 deep"),
        ({"configs": [{"method": "fusion", "config": {}}]}, "describes a composition block"),
        ({"configs": [{"method": "lora", "config": {}}] * 4000}, "at most 10000 values"),
    ],
    ids=str,
)
def test_what_is_no_union_is_refused(config: Any, said: str) -> None:
    error = refusal(GOOD | {"method": "union", "config": config})
    assert error.code == "manifest.bad_value"
    assert said in error.message
    assert len(error.message) < 2000


@given(st.sampled_from(known_methods()), st.data())
def test_any_value_of_any_method_raises_manifest_errors_only(method: str, data: st.DataObject) -> None:
    values = UNION.values() if method == "union" else {}
    example = next((config for config in PRESETS if config.method == method), None)
    values = example.values() if example is not None else values
    key = data.draw(st.sampled_from(sorted(values)))
    changed_values = values | {key: data.draw(JSON)}
    assert outcome(GOOD | {"method": method, "config": changed_values}) in (None, "manifest.bad_value")


@given(JSON, JSON)
def test_any_member_of_a_union_raises_manifest_errors_only(member: Any, values: Any) -> None:
    for configs in (
        member,
        [member],
        [{"method": "lora", "config": values}],
        [{"method": member, "config": {}}],
    ):
        document = GOOD | {"method": "union", "config": {"configs": configs}}
        assert outcome(document) in (None, "manifest.bad_value")


@given(st.text() | st.binary())
def test_any_text_raises_manifest_errors_only(data: str | bytes) -> None:
    assert outcome(data) in ("manifest.not_json", "manifest.foreign_format")
