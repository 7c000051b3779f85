"""The header parser against files it must read, files it must refuse, and arbitrary bytes."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from adapter_lib.spec.safetensors_header import (
    Header,
    HeaderError,
    Limits,
    TensorInfo,
    header_length,
    parse_header,
    read_header,
    read_header_from,
)


def entry(begin: int = 0, end: int = 4, shape: Any = (1,), dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def packed(header: bytes, data: int = 0) -> tuple[bytes, int]:
    """The file's start and its whole size."""
    prefix = len(header).to_bytes(8, "little") + header
    return prefix, len(prefix) + data


def refusal(header: object, data: int = 4, limits: Limits | None = None) -> str:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    with pytest.raises(HeaderError) as caught:
        parse_header(*packed(text, data), limits or Limits())
    assert caught.value.message.endswith((".", "?"))
    return caught.value.code


def test_reads_what_safetensors_writes(tmp_path: Path) -> None:
    path = tmp_path / "adapter.safetensors"
    tensors = {
        "layers.0.attn.q.lora_a": np.zeros((2, 8), np.float32),
        "head.0.weight": np.zeros((3, 2), np.float16),
        "empty": np.zeros((0, 5), np.int64),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    header = read_header(path)
    assert {t.name: (t.shape, t.elements) for t in header.tensors} == {
        name: (array.shape, array.size) for name, array in tensors.items()
    }
    assert header.metadata == {"format": "pt"}
    assert header.data_start + header.tensors[-1].end == path.stat().st_size


def test_tensors_come_in_the_order_of_their_bytes() -> None:
    header = parse_header(*packed(json.dumps({"b": entry(4, 8), "a": entry(0, 4)}).encode(), 8))
    assert header.tensors == (TensorInfo("a", "F32", (1,), 0, 4), TensorInfo("b", "F32", (1,), 4, 8))


def test_half_byte_elements_are_counted_in_bits() -> None:
    assert parse_header(*packed(json.dumps({"a": entry(0, 2, (4,), "F4")}).encode(), 2)).tensors[0].end == 2
    assert refusal({"a": entry(0, 2, (3,), "F4")}, 2) == "header.bad_offsets"


def test_an_empty_file_of_tensors_is_a_header() -> None:
    assert parse_header(*packed(b"{}")).tensors == ()


@pytest.mark.parametrize(
    ("header", "data", "code"),
    [
        ({"a": entry(0, 4), "b": entry(2, 6)}, 6, "header.overlap"),
        ({"a": entry(0, 4), "b": entry(0, 4)}, 4, "header.overlap"),
        ({"a": entry(0, 4), "b": entry(8, 12)}, 12, "header.gap"),
        ({"a": entry(4, 8)}, 8, "header.gap"),
        ({"a": entry()}, 5, "header.size_mismatch"),
        ({"a": entry()}, 3, "header.size_mismatch"),
        ({}, 1, "header.size_mismatch"),
        ({"a": entry(dtype="F31")}, 4, "header.bad_dtype"),
        ({"a": entry(dtype=["F32"])}, 4, "header.bad_dtype"),
        ({"a": entry(shape=[-1])}, 4, "header.bad_shape"),
        ({"a": entry(shape=[True])}, 4, "header.bad_shape"),
        ({"a": entry(shape=[1.0])}, 4, "header.bad_shape"),
        ({"a": entry(shape=[2**63])}, 4, "header.bad_shape"),
        ({"a": entry(shape=[1] * 65)}, 4, "header.bad_shape"),
        ({"a": {"dtype": "F32", "shape": {"0": 1}, "data_offsets": [0, 4]}}, 4, "header.bad_shape"),
        ({"a": entry(shape=[2**62, 2**62])}, 4, "header.bad_offsets"),
        ({"a": entry(shape=[2])}, 4, "header.bad_offsets"),
        ({"a": entry(4, 0)}, 4, "header.bad_offsets"),
        ({"a": entry(-4, 0)}, 4, "header.bad_offsets"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, 4, "header.bad_offsets"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [False, 4]}}, 4, "header.bad_offsets"),
        ({"a": {"dtype": "F32", "shape": [1]}}, 4, "header.bad_entry"),
        ({"a": {**entry(), "extra": 1}}, 4, "header.bad_entry"),
        ({"a": 7}, 4, "header.bad_entry"),
        ({"": entry()}, 4, "header.bad_entry"),
        ({"x" * 513: entry()}, 4, "header.bad_entry"),
        ({"a\x00b": entry()}, 4, "header.bad_entry"),
        ({"\ud800": entry()}, 4, "header.bad_entry"),
        ({"__metadata__": {"a": 1}}, 0, "header.bad_entry"),
        ({"__metadata__": []}, 0, "header.bad_entry"),
        ({"__metadata__": {"a": "\x00"}}, 0, "header.bad_entry"),
        (b'{"a": {}, "a": {}}', 0, "header.duplicate_key"),
        (b'{"a": {"dtype": "F32", "dtype": "F32"}}', 0, "header.duplicate_key"),
        (b'{"a": NaN}', 0, "header.not_json"),
        (b'{"a": -Infinity}', 0, "header.not_json"),
        (b'{"a": ' + b"9" * 101 + b"}", 0, "header.not_json"),
        (b'{"a": "\xff"}', 0, "header.not_json"),
        (b"[]", 0, "header.not_json"),
        (b' {"a": {}}', 0, "header.not_json"),
        (b'{"a": {}', 0, "header.not_json"),
        (b"{} {}", 0, "header.not_json"),
        (b"", 0, "header.not_json"),
        (b'{"a":' * 100_000, 0, "header.not_json"),
        (b'{"a":' + b"[" * 100_000, 0, "header.not_json"),
    ],
)
def test_refuses_with_its_own_code(header: object, data: int, code: str) -> None:
    assert refusal(header, data) == code


def test_counts_tensors_before_and_after_parsing() -> None:
    three = {name: entry(index * 4, index * 4 + 4) for index, name in enumerate("abc")}
    assert refusal(three, 12, Limits(tensors=2)) == "header.too_many_tensors"
    # So many values that they are not even parsed.
    many = {str(index): [] for index in range(100)}
    assert refusal(many, 0, Limits(tensors=2)) == "header.too_many_tensors"


def test_the_claimed_length_is_checked_before_it_is_read() -> None:
    class Stream(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            self.largest = max(self.largest, size)
            return super().read(size)

    stream = Stream((2**63).to_bytes(8, "little") + b"{}")
    with pytest.raises(HeaderError, match="is this a safetensors file") as caught:
        read_header_from(stream, 10)
    assert (caught.value.code, stream.largest) == ("header.too_long", 8)
    with pytest.raises(HeaderError) as caught:
        header_length((100).to_bytes(8, "little"), 50)
    assert caught.value.code == "header.truncated"


@pytest.mark.parametrize("content", [b"", b"\x02\x00\x00", (2).to_bytes(8, "little") + b"{"])
def test_a_file_that_was_cut_off(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(content)
    with pytest.raises(HeaderError) as caught:
        read_header(path)
    assert caught.value.code == "header.truncated"


def test_a_prefix_without_the_whole_header() -> None:
    with pytest.raises(HeaderError) as caught:
        parse_header((50).to_bytes(8, "little") + b"{}", 100)
    assert caught.value.code == "header.truncated"


def outcome(prefix: bytes, total_size: int) -> Header | HeaderError:
    """What came of it; any other exception fails the test."""
    try:
        return parse_header(prefix, total_size)
    except HeaderError as error:
        return error


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
NEAR = st.dictionaries(
    st.sampled_from(["a", "b", "__metadata__", "\ud800"]),
    st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(["F32", "F4", "BOOL"]) | JSON,
            "shape": st.lists(st.integers(-1, 5), max_size=3) | JSON,
            "data_offsets": st.lists(st.integers(-1, 30), min_size=2, max_size=2) | JSON,
        }
    )
    | JSON,
)


@given(st.binary(max_size=200), st.integers(0, 300))
def test_arbitrary_bytes_raise_header_errors_only(prefix: bytes, total_size: int) -> None:
    assert isinstance(outcome(prefix, total_size), Header | HeaderError)


@given(NEAR, st.integers(0, 40))
def test_arbitrary_json_raises_header_errors_only(value: object, data: int) -> None:
    found = outcome(*packed(json.dumps(value).encode(), data))
    if isinstance(found, Header):
        assert sum(tensor.end - tensor.begin for tensor in found.tensors) == data


@given(st.lists(st.tuples(st.sampled_from(["F32", "I8", "BF16"]), st.lists(st.integers(0, 4), max_size=3))))
def test_every_sound_header_is_read_back(specs: list[tuple[str, list[int]]]) -> None:
    width = {"F32": 4, "I8": 1, "BF16": 2}
    entries, position = {}, 0
    for index, (dtype, shape) in enumerate(specs):
        end = position + width[dtype] * int(np.prod(shape, dtype=int))
        entries[f"t{index}"] = entry(position, end, shape, dtype)
        position = end
    header = parse_header(*packed(json.dumps(entries).encode(), position))
    assert {t.name: entry(t.begin, t.end, t.shape, t.dtype) for t in header.tensors} == entries
