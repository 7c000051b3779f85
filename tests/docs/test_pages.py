"""What docs/methods says of fields, defaults and links is so."""

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import adapter_lib
from adapter_lib.spec.configs import MethodConfig, known_presets, preset_class
from tests.docs.markers import DOCS
from tests.docs.methods_table import page_of
from tests.docs.reading import PAGES, anchors_of, links_of, prose_of, tables_of

_COMMON = {field.name for field in dataclasses.fields(MethodConfig)} | {"targets"}
# Whose tables leave fields to the page's text.
_TOLD_IN_PROSE = {"compacter"}
_SHORTENED = re.compile(r"`([^`]+)`")


def _told(page: Path) -> Iterator[tuple[str, str, str]]:
    """(preset, field, default) of every cell below a preset's name."""
    for header, *rows in tables_of(page):
        columns = {i: cell.strip("`") for i, cell in enumerate(header) if cell.strip("`") in known_presets()}
        for row in rows if header[0] == "" else ():
            fields = _SHORTENED.findall(row[0])
            for column, preset in columns.items():
                values = row[column].split(", ")
                spread = values if len(values) == len(fields) > 1 else [row[column]] * len(fields)
                yield from zip([preset] * len(fields), fields, spread, strict=True)


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _defaults(cls: type[MethodConfig]) -> dict[str, str]:
    missing = dataclasses.MISSING
    fields = dataclasses.fields(cls)
    return {f.name: "required" if f.default is missing else _shown(f.default) for f in fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_defaults_are_those_of_the_configs(page: Path) -> None:
    for preset, field, default in _told(page):
        assert _defaults(preset_class(preset)).get(field) == default, (preset, field)


def test_every_field_of_every_method_is_told() -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for page in PAGES:
        for preset, field, _ in _told(page):
            told[preset].add(field)
    for method in adapter_lib.list_methods():
        fields = {field.name for field in dataclasses.fields(method.config)} - _COMMON
        named = set().union(*(told[preset] for preset in method.presets))
        if method.name in _TOLD_IN_PROSE:
            named |= set(_SHORTENED.findall(prose_of(DOCS / "methods" / page_of(method.name))))
        assert fields <= named, (method.name, fields - named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links_of(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        # The support table is written from a run of the whole contract.
        assert target.exists() or target == DOCS / "support.md", link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines_of_text_are_short(page: Path) -> None:
    long = [line for line in page.read_text(encoding="utf-8").splitlines() if len(line) > 160]
    assert not [line for line in long if not line.startswith("|")]
