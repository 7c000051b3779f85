"""The code of docs/coming-from-peft.md runs, and the page names every kind that is read."""

from pathlib import Path
from typing import Any

import pytest
import torch

from adapter_lib.formats.peft.kinds import KINDS
from tests.docs.markers import DOCS
from tests.docs.reading import code_of, links_of

_PAGE = DOCS / "coming-from-peft.md"


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


def test_every_kind_that_is_read_is_named() -> None:
    text = _PAGE.read_text(encoding="utf-8")
    assert {kind for kind in KINDS if kind not in text} == set()
