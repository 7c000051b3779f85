"""Files of every schema version keep loading, and give the numbers that they gave when they were written."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import adapter_lib
from adapter_lib.spec.schema import SCHEMA_VERSION
from tests.adapter_lib.formats.fixtures.making import CASE, CASES, HERE, LOGITS, backbone, logits

FOLDERS = sorted(path.parent for path in HERE.glob(f"v*/*/{CASE}"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_it_gives_what_it_gave(folder: Path) -> None:
    case = json.loads((folder / CASE).read_text())
    model = adapter_lib.init(backbone(case["backbone"]))
    load = {
        "adapter": model.load_adapter,
        "fusion": model.load_adapter_fusion,
        "head": model.load_head,
        "embeddings": model.load_embeddings,
        "setup": model.load_adapter_setup,
    }
    for kind, name in case["load"]:
        load[kind](folder / name)
    if case["active"] is not None:
        heads = model.adapter_runtime.heads.names()
        model.set_active_adapters(case["active"], head=heads or None)
    before = load_file(folder / LOGITS)["logits"]
    assert before.std() > 0.05
    assert torch.allclose(logits(model), before, atol=1e-5)


def test_every_version_has_fixtures() -> None:
    found = {(path.parent.name, path.name.replace("_", " ")) for path in FOLDERS}
    assert found == {(f"v{version}", name) for version, names in CASES.items() for name in names}
    assert [int(version) for version in CASES] == list(range(1, SCHEMA_VERSION + 1))


def test_the_files_are_of_the_version_that_they_stand_for() -> None:
    for version in CASES:
        documents = [
            json.loads(path.read_text())
            for path in (HERE / f"v{version}").rglob("*_config.json")
            if path.name != "tokenizer_config.json"
        ]
        assert max(document["schema_version"] for document in documents) == int(version)
        assert all(document["schema_version"] <= int(version) for document in documents)


def test_they_are_small() -> None:
    for folder in FOLDERS:
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 50_000
