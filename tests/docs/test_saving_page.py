"""The code of docs/saving-and-loading.md runs, and its table names methods that there are."""

import re
from pathlib import Path

import pytest

from adapter_lib import AdapterModel
from tests.docs.markers import DOCS
from tests.docs.reading import links_of, tables_of
from tests.docs.running import run_code

PAGE = DOCS / "saving-and-loading.md"


def test_its_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_code(PAGE, tmp_path, monkeypatch)
    assert (tmp_path / "files" / "setup" / "setup_config.json").is_file()


def test_its_table_names_methods_and_its_links_lead_somewhere() -> None:
    named = [
        re.findall(r"`(\w+)`", cell) for _, *rows in tables_of(PAGE) for row in rows for cell in row[1:3]
    ]
    methods = [name for names in named for name in names]
    assert len(methods) == 12
    assert [name for name in methods if not hasattr(AdapterModel, name)] == []
    assert [link for link in links_of(PAGE) if not (DOCS / link).exists()] == []
