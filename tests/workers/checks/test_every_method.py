"""What the library saves passes the checks of a worker, whichever method it is; and an idle one does not."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel

import adapter_lib
from adapter_lib.spec.configs import config_from_dict
from tests.adapter_lib.contract.methods import METHODS
from tests.workers import tiny
from tests.workers.checks.hearing import backbone_of, case_of, hear
from workers.checks.config import config
from workers.checks.tensors import tensors


def _saved(method: str, backbone: Path, folder: Path, spread: float) -> Any:
    model: Any = adapter_lib.init(AutoModel.from_pretrained(backbone))
    written = METHODS[method].config.replace(str(list(range(5, 60))), "[5, 6, 7]")
    model.add_adapter(
        "made", written.replace("block_size=8", "block_size=4").replace("n_frequency=60", "n_frequency=9")
    )
    for parameter in model.adapter_runtime.injection.trained("made"):
        torch.nn.init.normal_(parameter, std=spread)
    model.save_adapter(folder, "made", backbone_id=tiny.BACKBONE)
    (folder / "README.md").write_text(tiny.CARD)
    return model.adapter_runtime.injection.configs["made"]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_saved_passes_the_checks(method: str, backbone_folder: Path, tmp_path: Path) -> None:
    made = _saved(method, backbone_folder, tmp_path, 0.1)
    assert config_from_dict(made.method, made.values()) == made
    for check in (config, tensors):
        heard = hear(check, case_of(tmp_path, backbone=backbone_of(backbone_folder)))
        assert heard.errors == []
    assert ", 0 missing, 0 unexpected, 0 misshapen" in heard.logged[-1]


@pytest.mark.parametrize(
    "method", ["lora", "vera", "adalora", "hira", "bitfit", "norm_tuning", "fourierft", "oft"]
)
def test_what_cannot_have_an_effect_is_refused(method: str, backbone_folder: Path, tmp_path: Path) -> None:
    _saved(method, backbone_folder, tmp_path, 0.0)
    heard = hear(tensors, case_of(tmp_path, backbone=backbone_of(backbone_folder)))
    assert heard.errors == ["tensors.no_effect"]
