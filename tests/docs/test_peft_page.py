"""docs/coming-from-peft.md names every kind that is read."""

from adapter_lib.formats.peft.kinds import KINDS
from tests.docs.markers import DOCS

_PAGE = DOCS / "coming-from-peft.md"


def test_every_kind_that_is_read_is_named() -> None:
    text = _PAGE.read_text(encoding="utf-8")
    assert {kind for kind in KINDS if kind not in text} == set()
