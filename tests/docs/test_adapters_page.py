"""docs/coming-from-adapters.md names every switch that the importer sets, and methods that there are."""

import pytest

from adapter_lib.model.facade import AdapterModel
from tests.docs.markers import DOCS

_PAGE = DOCS / "coming-from-adapters.md"
_SWITCHES = ("moves_keys", "scales_bias", "gate_over_padding", "inverse")
_METHODS = (
    "add_adapter", "train_adapter", "train_adapter_fusion", "set_active_adapters", "active_adapters",
    "add_adapter_fusion", "add_classification_head", "save_adapter", "load_adapter", "save_adapter_fusion",
    "save_adapter_setup", "load_adapter_setup", "load_adapter_fusion", "merge_adapter", "reset_adapter",
    "average_adapter", "adapter_summary", "delete_adapter",
)  # fmt: skip


@pytest.mark.parametrize("switch", _SWITCHES)
def test_every_switch_is_named(switch: str) -> None:
    assert f"`{switch}=" in _PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("method", _METHODS)
def test_what_is_called_the_same_exists(method: str) -> None:
    assert method in _PAGE.read_text(encoding="utf-8")
    assert hasattr(AdapterModel, method)
