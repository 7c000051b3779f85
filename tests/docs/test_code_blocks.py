"""Every block of Python in docs/methods runs: those of one page in order, in one namespace, without a net."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.docs.reading import PAGES, code_of


@pytest.mark.parametrize("page", [page for page in PAGES if code_of(page)], ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    namespace: dict[str, Any] = {}
    generator = torch.get_rng_state()
    try:
        for number, code in enumerate(code_of(page)):
            exec(compile(code, f"{page.name}, block {number + 1}", "exec"), namespace)  # noqa: S102
    finally:
        torch.set_rng_state(generator)


def test_every_page_of_a_method_has_code() -> None:
    without = {page.name for page in PAGES if not code_of(page)}
    assert without == {"README.md", "peers-defects.md"}
