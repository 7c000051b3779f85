"""The code of docs/coming-from-adapters.md runs, and the page names every switch that the importer sets."""

from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.model.facade import AdapterModel
from tests.docs.markers import DOCS
from tests.docs.reading import code_of, links_of

_PAGE = DOCS / "coming-from-adapters.md"
_SWITCHES = ("moves_keys", "scales_bias", "gate_over_padding", "inverse")
_METHODS = (
    "add_adapter", "train_adapter", "train_adapter_fusion", "set_active_adapters", "active_adapters",
    "add_adapter_fusion", "add_classification_head", "save_adapter", "load_adapter", "save_adapter_fusion",
    "save_adapter_setup", "load_adapter_setup", "load_adapter_fusion", "merge_adapter", "reset_adapter",
    "average_adapter", "adapter_summary", "delete_adapter",
)  # fmt: skip


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    generator = torch.get_rng_state()
    try:
        for number, code in enumerate(code_of(_PAGE)):
            exec(compile(code, f"{_PAGE.name}, block {number + 1}", "exec"), namespace)  # noqa: S102
    finally:
        torch.set_rng_state(generator)


def test_links_and_lines() -> None:
    assert all((_PAGE.parent / link.partition("#")[0]).exists() for link in links_of(_PAGE))
    lines = _PAGE.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if len(line) > 160 and not line.startswith("|")]


@pytest.mark.parametrize("switch", _SWITCHES)
def test_every_switch_is_named(switch: str) -> None:
    assert f"`{switch}=" in _PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("method", _METHODS)
def test_what_is_called_the_same_exists(method: str) -> None:
    assert method in _PAGE.read_text(encoding="utf-8")
    assert hasattr(AdapterModel, method)
