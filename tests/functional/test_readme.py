"""The README's code for the library runs as it stands, on a tiny model in the backbone's place."""

import re
from pathlib import Path

import pytest

import adapter_lib
from adapter_lib.spec.configs import known_presets
from tests.adapter_lib import tiny

README = Path(__file__).resolve().parents[2] / "README.md"
BACKBONE = "sentence-transformers/all-MiniLM-L6-v2"


def test_the_library_s_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    code = next(block for block in blocks if "adapter_lib.init" in block)
    assert BACKBONE in code
    tiny.build("bert").save_pretrained(tmp_path / "backbone")
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace(BACKBONE, str(tmp_path / "backbone")), "README.md", "exec"), {})  # noqa: S102
    assert {path.name for path in (tmp_path / "my-adapter").iterdir()} == {
        "adapter_config.json",
        "adapter.safetensors",
    }


def test_its_numbers_are_those_of_the_library() -> None:
    text = README.read_text(encoding="utf-8")
    found = re.search(r"(\d+) presets of (\d+) methods", text)
    types = re.search(r"more than (\d+) model\s+types", text)
    assert found is not None
    assert types is not None
    assert (int(found[1]), int(found[2])) == (len(known_presets()), len(adapter_lib.list_methods()))
    assert len(adapter_lib.list_families()) > int(types[1])
