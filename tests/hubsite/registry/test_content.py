import pytest

from adapter_lib.spec.safetensors_header import HeaderError
from hubsite.registry.services.content import Content
from hubsite.registry.services.operations import File
from tests.hubsite import factories

pytestmark = pytest.mark.django_db


def content(data: bytes) -> Content:
    return Content({"file": File(factories.make_blob(data).sha256, False)})


def test_one_byte_more_than_the_limit_shows_that_there_is_more() -> None:
    assert content(b"12345").read("file", 5) == b"12345"
    assert content(b"123456789").read("file", 5) == b"123456"
    assert content(b"").read("file", 5) == b""


def test_a_file_that_is_not_there() -> None:
    assert content(b"x").read("other", 5) is None
    assert content(b"x").blob("other") is None


def test_a_header_is_read_without_the_tensors() -> None:
    found = content(factories.safetensors_bytes({"a": (2, 3)}))
    blob = found.blob("file")
    assert blob is not None
    assert [tensor.shape for tensor in found.header(blob).tensors] == [(2, 3)]


def test_a_header_too_large_for_a_commit_to_wait_for_is_refused() -> None:
    found = content((3 * 1024**2).to_bytes(8, "little") + b"{" + b" " * 3 * 1024**2)
    blob = found.blob("file")
    assert blob is not None
    with pytest.raises(HeaderError, match="allowed"):
        found.header(blob)
