"""Every block of Python in docs/methods and in the guides runs; the guides' links and lines are sound."""

from pathlib import Path

import pytest

from tests.docs.markers import DOCS
from tests.docs.reading import PAGES, code_of, links_of
from tests.docs.running import run_code

GUIDES = [
    DOCS / name
    for name in ("coming-from-adapters.md", "coming-from-peft.md", "heads.md", "merging.md", "training.md")
]


@pytest.mark.parametrize("page", [*filter(code_of, PAGES), *GUIDES], ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_code(page, tmp_path, monkeypatch)


def test_every_page_of_a_method_has_code() -> None:
    without = {page.name for page in PAGES if not code_of(page)}
    assert without == {"README.md", "peers-defects.md"}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_links_and_lines(page: Path) -> None:
    assert all((page.parent / link.partition("#")[0]).exists() for link in links_of(page))
    lines = page.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if len(line) > 160 and not line.startswith("|")]
