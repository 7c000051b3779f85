"""Runs the code of a page: its blocks in order, in one namespace, without a net."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.docs.reading import code_of


def run_code(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every block with `folder` as the working folder; random numbers go on as before."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    namespace: dict[str, Any] = {}
    generator = torch.get_rng_state()
    try:
        for number, code in enumerate(code_of(page)):
            exec(compile(code, f"{page.name}, block {number + 1}", "exec"), namespace)  # noqa: S102
    finally:
        torch.set_rng_state(generator)
