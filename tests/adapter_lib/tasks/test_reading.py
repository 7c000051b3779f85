"""Reading files, folders and data sets; whatever is wrong is named with its line."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapter_lib.tasks import Data, DataError, Rows, read_file
from adapter_lib.tasks.reading.hub_ids import class_names, rows_of


def rows_in(path: Path, content: str | bytes) -> Rows:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path, path.name)


def values(rows: Rows) -> list[dict[str, Any]]:
    return [dict(row.values) for row in rows.rows]


def test_json_lines(tmp_path: Path) -> None:
    rows = rows_in(tmp_path / "a.jsonl", '\ufeff{"text": "é", "label": 1}\n\n{"label": 2, "more": [1]}\n')
    assert values(rows) == [{"text": "é", "label": 1}, {"label": 2, "more": [1]}]
    assert [row.number for row in rows.rows] == [1, 3]
    assert rows.columns == ("text", "label", "more")
    assert rows.where(rows.rows[1]) == "a.jsonl, line 3"
    assert len(rows.head(1).rows) == 1


def test_csv_and_tsv(tmp_path: Path) -> None:
    rows = rows_in(tmp_path / "a.csv", 'text,label\n"two\nlines, and a comma",x\nplain,y\n')
    assert values(rows) == [
        {"text": "two\nlines, and a comma", "label": "x"},
        {"text": "plain", "label": "y"},
    ]
    assert [row.number for row in rows.rows] == [3, 4]
    assert values(rows_in(tmp_path / "a.tsv", "a\tb\n1,2\t3\n")) == [{"a": "1,2", "b": "3"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"a": 1}\n{"a": 1,}\n', r"a\.jsonl, line 2 is not JSON"),
        ("a.jsonl", "[1]\n", r"line 1 is JSON but no object"),
        ("a.jsonl", '{"a": NaN}\n', r"line 1 is not JSON .*NaN"),
        ("a.jsonl", '{"a": 1, "a": 2}\n', r"line 1 is not JSON .*twice"),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', r"line 2 is not UTF-8 text \(byte 8 of the line\)"),
        ("a.jsonl", "", r"holds no rows"),
        ("a.jsonl", "\n\n", r"holds no rows"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", r"a\.csv, line 3 has 3 values, but the header names 2"),
        ("a.csv", "a,a\n1,2\n", r"line 1 must name each column once; it has a, a"),
        ("a.csv", "a,b\n", r"holds no rows"),
        ("a.csv", 'a,b\n"open,2\n', r"a\.csv, line 2 cannot be read"),
        ("a.txt", "x", r"name must end in \.jsonl"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        rows_in(tmp_path / name, content)


def test_a_folder_of_splits(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.jsonl").write_text(f'{{"text": "{split}"}}\n')
    data = Data(str(tmp_path))
    assert values(data.training()) == [{"text": "train"}]
    assert values(data.asked()) == [{"text": "test"}]
    assert values(data.asked("validation")) == [{"text": "dev"}]
    held_out = data.held_out()
    assert held_out is not None
    assert values(held_out) == [{"text": "dev"}]
    assert held_out.source == f"{tmp_path}/dev.jsonl"
    with pytest.raises(DataError, match=r"has no split nothing; it has dev, test, train"):
        data.asked("nothing")


def test_a_file_is_one_split(tmp_path: Path) -> None:
    rows_in(tmp_path / "a.jsonl", '{"text": "x"}\n')
    data = Data(str(tmp_path / "a.jsonl"))
    assert data.held_out() is None
    assert values(data.training()) == values(data.asked()) == [{"text": "x"}]


def test_what_is_not_there(tmp_path: Path) -> None:
    for source in (str(tmp_path / "no.jsonl"), "./no", "no.csv", "a b", ""):
        with pytest.raises(DataError, match="There is no file or folder"):
            Data(source)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no split train; it has no file of JSON lines"):
        Data(str(tmp_path / "empty")).training()
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(DataError, match=r"folder\.jsonl cannot be read: Is a directory"):
        read_file(tmp_path / "folder.jsonl", "folder.jsonl")


@pytest.mark.skipif(importlib.util.find_spec("datasets") is not None, reason="the package datasets is there")
def test_a_data_sets_id_needs_the_package() -> None:
    with pytest.raises(
        DataError, match=r"no file or folder 'owner/name:part'; .* install adapter-lib\[datasets\]"
    ):
        Data("owner/name:part").training()


def test_numbers_of_classes_become_names() -> None:
    label = SimpleNamespace(names=["no", "yes"])
    features = {
        "text": SimpleNamespace(dtype="string"),
        "label": label,
        "tags": SimpleNamespace(feature=label),
    }

    class Found(list[Any]):
        pass

    found = Found([{"text": "a", "label": 1, "tags": [0, 1]}, {"text": "b", "label": -1, "tags": []}])
    found.features = features  # type: ignore[attr-defined]
    assert values(rows_of(found, "x (train)")) == [
        {"text": "a", "label": "yes", "tags": ["no", "yes"]},
        {"text": "b", "label": None, "tags": []},
    ]
    assert class_names([label]) == ("no", "yes")


@pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="the package datasets is not there")
def test_a_data_set_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match="The data set owner/name could not be loaded"):
        Data("owner/name").training()
