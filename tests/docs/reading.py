"""The pages of docs/methods in pieces: code, tables, links."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.markers import DOCS

PAGES = tuple(sorted((DOCS / "methods").glob("*.md")))
Table = list[list[str]]


def code_of(page: Path) -> list[str]:
    """The blocks of Python code, in order."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def prose_of(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def tables_of(page: Path) -> Iterator[Table]:
    """Every table as rows of cells, the header first, the line of dashes left out."""
    rows: Table = []
    for line in [*prose_of(page).splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif rows:
            yield [rows[0], *rows[2:]]
            rows = []


def links_of(page: Path) -> list[str]:
    """What the page's links lead to, addresses on the web left out."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose_of(page))
    return [target for target in found if "://" not in target]


def anchors_of(page: Path) -> set[str]:
    """The names of the page's headings, as links give them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
