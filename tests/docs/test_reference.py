"""docs/reference.md has every public name, and docstrings tell every argument."""

import re
from typing import Any

import pytest

import adapter_lib
from tests.docs.public_names import PublicName, public_names
from tests.docs.reference import COMMON, PAGE, SECTIONS, render, section_of

NAMES = list(public_names())
_BY_NAME = {name.name: name for name in NAMES}


def told(name: PublicName) -> set[str]:
    """The words that say what arguments are: of its own docstring and of those that this one points to.

    "Otherwise as `add_adapter_fusion`" tells what stands there, and what that points to.
    """
    found, texts = [name], []
    for each in found:
        texts.append(each.told())
        others = (_BY_NAME.get(other) for other in re.findall(r"[Aa]s (?:for |in |of )?`(\w+)`", each.told()))
        found += [other for other in others if other is not None and other not in found]
    return set(re.findall(r"\w+", " ".join(texts)))


def untold(name: PublicName) -> list[str]:
    """The arguments that neither the docstring nor the page's list of common ones tells."""
    return [each.name for each in name.parameters() if each.name not in told(name) | COMMON.keys()]


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run python -m tests.docs.reference"


def test_every_public_name_stands_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    public = {*adapter_lib.__all__} - {"__version__"}
    assert public <= _BY_NAME.keys()
    assert [name.name for name in NAMES if not re.search(rf"[`.]{name.name}[`(]", page)] == []


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{name.owner}.{name.name}")
def test_docstrings_say_what_it_is_and_what_it_takes(name: PublicName) -> None:
    assert re.search(r"[.:?]$", name.sentence()), f"the first sentence of {name.name}: {name.sentence()!r}"
    assert untold(name) == [], f"{name.name}: tell these arguments in its docstring"


def test_every_section_has_names() -> None:
    filled = {section_of(name).title for name in NAMES}
    assert filled == {section.title for section in SECTIONS}


def test_what_is_not_told_is_seen() -> None:
    def lends(name: str, sort: Any, depth: int) -> None:
        """Lend something, of a sort."""

    lends.__module__ = "adapter_lib.lending"
    made = PublicName("adapter_lib", "lends", lends)
    assert untold(made) == ["depth"]
    with pytest.raises(LookupError, match=r"lends of adapter_lib\.lending has no section"):
        section_of(made)
