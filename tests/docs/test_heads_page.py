"""docs/heads.md: its code runs, its links lead somewhere, its lines are short."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.docs.markers import DOCS
from tests.docs.reading import code_of, links_of

PAGE = DOCS / "heads.md"


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    namespace: dict[str, Any] = {}
    generator = torch.get_rng_state()
    try:
        for number, code in enumerate(code_of(PAGE)):
            exec(compile(code, f"{PAGE.name}, block {number + 1}", "exec"), namespace)  # noqa: S102
    finally:
        torch.set_rng_state(generator)


def test_links_and_lines() -> None:
    assert all((PAGE.parent / link.partition("#")[0]).exists() for link in links_of(PAGE))
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if len(line) > 160 and not line.startswith("|")]
