"""What files say of heads: strict, and for classification as in version 1."""

import json
from typing import Any

import pytest

from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.fields import FieldError, Fields
from adapter_lib.spec.heads import (
    ClassificationSpec,
    CustomSpec,
    ImageClassificationSpec,
    MaskedLMSpec,
    TaggingSpec,
    head_types,
    read_head,
    register_head,
    since_version,
)
from adapter_lib.spec.manifest import head_version


def test_a_classification_head_reads_and_writes_as_in_version_1() -> None:
    spec = ClassificationSpec(("no", "yes"), "mean", 2, "relu", 0.25)
    assert json.dumps(spec.to_dict()) == (
        '{"type": "classification", "labels": ["no", "yes"], "pooling": "mean", "layers": 2, '
        '"activation": "relu", "dropout": 0.25}'
    )
    assert head_version(spec.to_dict()) == 1
    short = {"type": "classification", "labels": ["a"], "pooling": "cls", "layers": 1}
    assert read_head(Fields(short)) == ClassificationSpec(("a",), "cls")


def test_what_version_1_does_not_know_needs_version_2() -> None:
    assert [kind for kind in head_types() if since_version(kind) == 1] == ["classification"]
    assert head_version(ClassificationSpec(("a",), use_bias=False).to_dict()) == 2
    assert head_version(ClassificationSpec(("a",), "eos").to_dict()) == 2
    assert head_version(TaggingSpec(("a",)).to_dict()) == 2


@pytest.mark.parametrize(
    ("spec", "change", "said"),
    [
        (TaggingSpec(("a",)), {"pooling": "cls"}, "'pooling' is not a known key"),
        (TaggingSpec(("a",)), {"labels": []}, "list of 1 to"),
        (TaggingSpec(("a",)), {"layers": 10**9}, "whole number from 1 to 100"),
        (MaskedLMSpec(vocab_size=9), {"vocab_size": 10**12}, "whole number"),
        (MaskedLMSpec(vocab_size=9), {"labels": ["a"]}, "list of 0 to 0"),
        (MaskedLMSpec(vocab_size=9), {"tied": 1}, "true or false"),
        (MaskedLMSpec(vocab_size=9), {"width": 0}, "width must be a whole number"),
        (ImageClassificationSpec(("a",)), {"pooling": "eos"}, "one of cls, mean, patches"),
        (ImageClassificationSpec(("a",)), {"norm_eps": "small"}, "norm_eps must be a number"),
        (CustomSpec(kind="x"), {"settings": [1]}, "settings must be an object"),
        (CustomSpec(kind="x"), {"type": "x"}, "type must be one of"),
    ],
)
def test_every_member_is_checked(spec: Any, change: dict[str, Any], said: str) -> None:
    with pytest.raises(FieldError, match=said):
        read_head(Fields(spec.to_dict() | change))


def test_a_custom_head_is_read_anywhere_and_made_only_where_it_is_known() -> None:
    spec = read_head(Fields({"type": "custom", "labels": [], "kind": "alien", "settings": {"n": [1, 2]}}))
    assert isinstance(spec, CustomSpec)
    with pytest.raises(ConfigError, match="no custom head of the type 'alien'"):
        spec.shapes(8)


def test_a_type_is_registered_once() -> None:
    with pytest.raises(ConfigError, match="type 'tagging' already"):
        register_head(TaggingSpec)
