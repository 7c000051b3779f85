"""What a fusion's config is here."""

from typing import Any

import pytest

from adapter_lib.formats.adapterhub.importing.fusion import fusion_config
from adapter_lib.spec.configs import FusionConfig, ParBnConfig, SeqBnConfig, StaticFusionConfig
from adapter_lib.spec.errors import LoadError

_GIVEN: dict[str, Any] = {
    "query": True,
    "key": True,
    "value": True,
    "query_before_ln": False,
    "residual_before": False,
    "temperature": False,
    "value_initialized": True,
    "regularization": True,
    "dropout_prob": None,
}


def test_the_last_child_rules() -> None:
    assert not fusion_config(_GIVEN, SeqBnConfig()).query_before_ln
    assert fusion_config(_GIVEN, SeqBnConfig(original_ln_before=False)).query_before_ln
    with pytest.raises(LoadError, match="last child is parallel"):
        fusion_config(_GIVEN, ParBnConfig())


@pytest.mark.parametrize(
    ("name", "expected"), [("dynamic", FusionConfig()), ("static", StaticFusionConfig())]
)
def test_names(name: str, expected: FusionConfig) -> None:
    assert fusion_config(name, SeqBnConfig()) == expected


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"temperature": True}, "temperature falls with every call"),
        ({"more": 1}, "The config has 'more'"),
        ({"query": None}, "The config lacks query"),
    ],
)
def test_what_cannot_be(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LoadError, match=sentence):
        fusion_config(_GIVEN | change, SeqBnConfig())


def test_no_object() -> None:
    with pytest.raises(LoadError, match="config must be an object"):
        fusion_config(3, SeqBnConfig())
