"""The lowest version that can say a config, against the fields that version 1 had when it was left."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from adapter_lib.spec.configs import DoRAConfig, LoRAConfig, UnionConfig, config_from_dict
from adapter_lib.spec.configs.registry import known_methods, method_class, valid_keys
from adapter_lib.spec.heads import ClassificationSpec, TaggingSpec
from adapter_lib.spec.manifest import head_to_dict, head_version
from adapter_lib.spec.schema import ADDED_IN_2, ADDED_TO_ALL_IN_2, METHODS_OF_2, described

FIELDS_OF_1: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "fields_of_version_1.json").read_text()
)


def test_what_came_after_version_1_is_listed() -> None:
    """A new field of a config belongs into ADDED_IN_2, or older readers are given what they refuse."""
    assert set(known_methods()) == {*FIELDS_OF_1, *METHODS_OF_2}
    for method, fields in FIELDS_OF_1.items():
        added = {*valid_keys(method_class(method))} - {*fields}
        assert added == {*ADDED_TO_ALL_IN_2, *ADDED_IN_2.get(method, ())}, method


def test_nothing_that_version_1_knew_is_gone() -> None:
    gone = {m: {*fields} - {*valid_keys(method_class(m))} for m, fields in FIELDS_OF_1.items()}
    assert {method: fields for method, fields in gone.items() if fields} == {}


def test_added_fields_have_defaults() -> None:
    for method, names in ADDED_IN_2.items():
        fields = {field.name: field for field in dataclasses.fields(method_class(method))}
        assert all(fields[name].default is not dataclasses.MISSING for name in (*names, *ADDED_TO_ALL_IN_2))


@pytest.mark.parametrize(
    ("config", "version"),
    [
        (LoRAConfig(r=3), 1),
        (DoRAConfig(r=3), 1),
        (DoRAConfig(r=3, scales_bias=True), 2),
        (UnionConfig(configs=(LoRAConfig(r=2), DoRAConfig(r=3))), 1),
        (UnionConfig(configs=(LoRAConfig(r=2), DoRAConfig(r=3, scales_bias=True))), 2),
    ],
)
def test_the_lowest_version_is_taken(config: Any, version: int) -> None:
    said, values = described(config)
    assert said == version
    assert ("scales_bias" in json.dumps(values)) == (version == 2)
    assert "gate_over_padding" not in json.dumps(values)
    assert config_from_dict(config.method, values) == config


@pytest.mark.parametrize(
    ("head", "version"),
    [
        (None, 1),
        (ClassificationSpec(("no", "yes"), pooling="last", activation="relu"), 1),
        (ClassificationSpec(("no", "yes"), pooling="eos"), 2),
        (ClassificationSpec(("no", "yes"), use_bias=False), 2),
        (TaggingSpec(("B", "I")), 2),
    ],
)
def test_heads_of_version_1_stay_in_it(head: Any, version: int) -> None:
    assert head_version(head_to_dict(head)) == version
