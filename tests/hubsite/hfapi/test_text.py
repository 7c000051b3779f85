"""What a database can hold as text."""

from hubsite.hfapi.text import is_storable


def test_storable_text() -> None:
    assert is_storable("ä 漢 😀")
    assert not is_storable("a\0b")
    assert not is_storable("\ud800")
