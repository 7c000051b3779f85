"""`inspect` on checkpoints of all three formats, sound, faulty and hostile."""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.adapter_lib.cli.running import call, refused


def facts(folder: Path, *words: str, code: int = 0) -> Any:
    done = call("inspect", folder, "--json", *words)
    assert done.code == code, done
    return done.document


def problems(folder: Path, *words: str) -> dict[str, str]:
    found = facts(folder, *words, code=3)["problems"]
    return {problem["code"]: problem["message"] for problem in found}


def edit(folder: Path, **values: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_native_adapter(native: Path) -> None:
    found = facts(native, "--values")
    assert (found["format"], found["method"], found["sizes"]) == ("native", "lora", {"r": 2, "alpha": 8.0})
    # q and v of two layers, 2 × 16 and 16 × 2 each; a head of 2 × 16 and 2.
    assert (found["parameters"], found["head_parameters"], found["tensors"]) == (256, 34, 10)
    assert found["dtypes"] == {"F32": 10}
    assert found["bytes"] == (native / "adapter.safetensors").stat().st_size
    backbone = found["backbone"]
    assert (backbone["id"], backbone["model_type"]) == ("someone/tiny-bert", "bert")
    assert (backbone["hidden_size"], backbone["layers"], len(backbone["fingerprint"])) == (16, 2, 64)
    assert found["head"]["labels"] == ["negative", "positive"]
    assert found["problems"] == []


def test_an_adapter_of_peft(peft: Path) -> None:
    found = facts(peft, "--values")
    assert (found["format"], found["method"], found["sizes"]) == ("peft", "LORA", {"r": 2, "lora_alpha": 4})
    assert (found["parameters"], found["head_parameters"]) == (128, 48)
    assert found["dtypes"] == {"F32": 3, "F16": 2}
    assert found["backbone"]["id"] == "someone/tiny-bert"
    assert found["backbone"]["layers"] == 2
    assert found["head"]["type"] == "SEQ_CLS"


def test_an_adapter_of_adapterhub(adapterhub: Path) -> None:
    found = facts(adapterhub, "--values")
    assert (found["format"], found["method"]) == ("adapterhub", "bottleneck")
    assert found["sizes"] == {"reduction_factor": 4}
    assert (found["parameters"], found["head_parameters"]) == (256, 32)
    assert found["files"] == ["pytorch_adapter.bin", "pytorch_model_head.bin"]
    assert found["head"] == {"type": "classification", "labels": ["negative", "positive"], "layers": 1}
    assert found["backbone"]["hidden_size"] == 16


def test_an_archive(adapterhub: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", adapterhub))
    assert facts(archive, "--values") == facts(adapterhub, "--values") | {"folder": str(archive)}
    archive.write_bytes(b"PK\x03\x04 nothing")
    refused("inspect", archive)


def test_for_people_it_is_a_table(native: Path, peft: Path) -> None:
    done = call("inspect", native)
    assert done.code == 0
    assert "No problems found." in done.stdout
    assert "someone/tiny-bert" in done.stdout
    edit(peft, r=3)
    done = call("inspect", peft)
    assert done.code == 3
    assert "has the rank 2, but the config says r = 3" in done.stdout


def test_tensors_that_are_missing_or_beyond(native: Path) -> None:
    tensors = load_file(native / "adapter.safetensors")
    taken = tensors.pop("layers.1.attn.q.lora_b")
    tensors["layers.7.attn.q.lora_b"] = taken
    tensors["layers.0.attn.v.lora_b"] = taken.to(torch.int64)
    tensors["layers.1.attn.v.lora_b"] = torch.zeros(16, 0)
    save_file(tensors, native / "adapter.safetensors")
    found = problems(native)
    assert found["tensors.layer"] == "There are tensors of layer 7, but the backbone has 2 layers."
    assert "layers.0.attn.v.lora_b is I64" in found["tensors.dtype"]
    assert "layers.1.attn.v.lora_b [16, 0] is empty" in found["tensors.empty"]


def test_against_the_config_of_a_backbone(native: Path, backbone: Path, tmp_path: Path) -> None:
    assert facts(native, "--backbone", str(backbone))["problems"] == []
    wider = tmp_path / "wider"
    wider.mkdir()
    config = json.loads((backbone / "config.json").read_text()) | {"hidden_size": 32}
    (wider / "config.json").write_text(json.dumps(config))
    assert "hidden size 16; the backbone has 32" in problems(native, "--backbone", str(wider))["fit.backbone"]
    assert "could not be loaded" in refused("inspect", native, "--backbone", tmp_path / "none")


def test_a_foreign_format_is_not_checked_against_a_backbone(peft: Path, backbone: Path) -> None:
    assert "convert this peft one" in refused("inspect", peft, "--backbone", backbone)


def test_halves_and_ranks_of_peft(peft: Path) -> None:
    path = peft / "adapter_model.safetensors"
    tensors = load_file(path)
    del tensors["base_model.model.bert.encoder.layer.1.attention.self.query.lora_B.weight"]
    save_file(tensors, path)
    assert "but no base_model.model.bert.encoder.layer.1" in problems(peft)["tensors.missing"]


def test_tensors_of_another_adapter(adapterhub: Path) -> None:
    edit(adapterhub, name="other")
    assert "does not belong to the adapter 'other'" in problems(adapterhub)["tensors.name"]


def test_numbers_are_read_only_when_asked(native: Path) -> None:
    path = native / "adapter.safetensors"
    tensors = load_file(path)
    for name, tensor in tensors.items():
        if name.endswith("lora_b"):
            tensor.zero_()
    tensors["layers.0.attn.q.lora_a"][0, 0] = float("nan")
    tensors["layers.0.attn.q.lora_a"][0, 1] = float("inf")
    save_file(tensors, path)
    assert facts(native)["problems"] == []
    found = problems(native, "--values")
    assert found["values.nan"] == "layers.0.attn.q.lora_a has 1 of 32 numbers that are NaN."
    assert "1 of 32 numbers that are infinite" in found["values.infinite"]
    assert "lora_b is zero everywhere: was the adapter trained?" in found["values.zero"]


class Payload:
    """A pickle that would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("is_old", [False, True])
def test_a_pickle_with_a_payload_is_refused_and_not_run(
    adapterhub: Path, tmp_path: Path, is_old: bool
) -> None:
    bait = tmp_path / "ran"
    with (adapterhub / "pytorch_adapter.bin").open("wb") as stream:
        if is_old:
            pickle.dump({"x": Payload(bait)}, stream)
        else:
            torch.save({"x": Payload(bait)}, stream)
    assert "nothing in it is executed" in refused("inspect", adapterhub)
    assert not bait.exists()


def test_files_of_old_torch_are_read(adapterhub: Path) -> None:
    tensors = {"a.adapters.sst2.weight": torch.ones(2, 3, dtype=torch.bfloat16)}
    torch.save(tensors, adapterhub / "pytorch_adapter.bin", _use_new_zipfile_serialization=False)
    assert facts(adapterhub)["dtypes"] == {"BF16": 1, "F32": 1}


def test_hostile_and_broken_files_give_one_sentence(native: Path, peft: Path, adapterhub: Path) -> None:
    weights = native / "adapter.safetensors"
    whole = weights.read_bytes()
    for content, message in (
        (whole[:-8], "cut off"),
        ((10**9).to_bytes(8, "little") + whole[8:], "more than"),
        (b"", "shorter than the 8 bytes"),
        (b"\x80\x04K\x01." * 10, "header"),
    ):
        weights.write_bytes(content)
        assert message in refused("inspect", native)
    weights.unlink()
    assert "cannot be read" in refused("inspect", native)
    for name in ("pytorch_adapter.bin", "pytorch_model_head.bin"):
        saved = (adapterhub / name).read_bytes()
        (adapterhub / name).write_bytes(saved[: len(saved) // 2])
        assert "is refused" in refused("inspect", adapterhub)
        (adapterhub / name).write_bytes(saved)
    torch.save([1, 2], adapterhub / "pytorch_adapter.bin")
    assert "holds more than named tensors" in refused("inspect", adapterhub)
    (peft / "adapter_model.safetensors").unlink()
    assert "weights are missing" in refused("inspect", peft)


def test_configs_that_are_none(native: Path, tmp_path: Path) -> None:
    config = native / "adapter_config.json"
    values = json.loads(config.read_text())
    edit(native, config=values["config"] | {"r": 10**9})
    assert "has not the rank 1000000000" in problems(native)["tensors.shape"]
    edit(native, config={"r": -1})
    assert "r" in refused("inspect", native)
    edit(native, config=values["config"], surprise=1)
    assert "surprise" in refused("inspect", native)
    for content in ("{", "[]", "{}", '{"format": "adapter_lib"}', '{"a": 1, "a": 2}', "[" * 10_000):
        config.write_text(content)
        refused("inspect", native)
    config.unlink()
    assert "adapter_config.json" in refused("inspect", native)
    shutil.rmtree(native)
    assert "There is no folder or archive" in refused("inspect", native)
