"""docs/README.md leads to every page, every link on every page leads somewhere, and all code is run."""

from pathlib import Path

import pytest

from tests.docs.markers import DOCS
from tests.docs.reading import anchors_of, code_of, links_of

ROOT = DOCS.parent
INDEX = DOCS / "README.md"
PAGES = sorted(DOCS.rglob("*.md"))
FACES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_the_index_has_every_page() -> None:
    listed = {(INDEX.parent / link).resolve() for link in links_of(INDEX)}
    assert [name_of(page) for page in PAGES if page not in listed and page != INDEX] == []


def test_the_readme_leads_to_the_index() -> None:
    assert {"docs/README.md", "docs/quick-start.md"} <= set(links_of(ROOT / "README.md"))


@pytest.mark.parametrize("page", [*PAGES, *FACES], ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links_of(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("page", [page for page in PAGES if code_of(page)], ids=name_of)
def test_all_code_is_run(page: Path) -> None:
    """By test_code_blocks.py, which takes all of docs/methods, or by a test that names the page."""
    assert page.parent == DOCS / "methods" or f'"{page.name}"' in TESTS
