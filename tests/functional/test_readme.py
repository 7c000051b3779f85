"""The README's code for the library runs as it stands, on a tiny model in the backbone's place."""

import re
from pathlib import Path

import pytest

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
