"""What `publish` refuses before anything is sent; the rest is in test_against_hub.py."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModel

import adapter_lib
from adapter_lib.hub.errors import HubError
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.ids import IdError
from adapter_lib.spec.safetensors_header import HeaderError

OPTIONS: dict[str, Any] = {"task": "sentiment", "endpoint": "http://127.0.0.1:1", "token": "ahub_x"}


def test_a_model_that_carries_no_adapters(backbone_folder: Path) -> None:
    with pytest.raises(LoadError, match=r"adapter_lib\.init"):
        adapter_lib.publish(AutoModel.from_pretrained(backbone_folder), "alice/x", **OPTIONS)


def test_which_adapter_must_be_clear(backbone_folder: Path) -> None:
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone_folder))
    model.add_adapter("a", "lora")
    model.add_adapter("b", "lora")
    with pytest.raises(LoadError, match="active are: none"):
        adapter_lib.publish(model, "alice/x", **OPTIONS)
    model.set_active_adapters(adapter_lib.Stack("a", "b"))
    with pytest.raises(LoadError, match="active are: a, b"):
        adapter_lib.publish(model, "alice/x", **OPTIONS)
    with pytest.raises(LoadError, match="backbone="):
        adapter_lib.publish(model, "alice/x", name="b", **OPTIONS)


def test_a_hub_that_is_not_there(backbone_folder: Path) -> None:
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone_folder))
    model.add_adapter("a", "lora")
    with pytest.raises(HubError, match=r"alice/x.*127\.0\.0\.1:1"):
        adapter_lib.publish(model, "alice/x", name="a", backbone="a/b", **OPTIONS)


def test_a_folder_is_looked_at_before_it_is_sent(backbone_folder: Path, tmp_path: Path) -> None:
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone_folder))
    model.add_adapter("a", "lora")
    model.save_adapter(tmp_path, "a", backbone_id="a/b")
    with pytest.raises(LoadError, match="name="):
        adapter_lib.publish(tmp_path, "alice/x", name="a", **OPTIONS)
    (tmp_path / "adapter.safetensors").write_bytes(b"nonsense")
    with pytest.raises(HeaderError):
        adapter_lib.publish(tmp_path, "alice/x", **OPTIONS)


@pytest.mark.parametrize("repo_id", ["x", "a/b/c", "a/-b", ""])
def test_a_name_that_cannot_be(repo_id: str) -> None:
    with pytest.raises(IdError):
        adapter_lib.publish("anywhere", repo_id, **OPTIONS)
