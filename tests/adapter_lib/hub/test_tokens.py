"""Tokens kept on this machine."""

import stat
from pathlib import Path

from adapter_lib.hub.tokens import forget_token, keep_token, kept_token


def test_a_token_is_kept_and_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    assert kept_token(folder) is None
    path = keep_token(folder, "ahub_one")
    keep_token(folder, "ahub_two")
    assert kept_token(folder) == "ahub_two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in folder.iterdir()] == ["token"]
    assert forget_token(folder)
    assert not forget_token(folder)
    assert kept_token(folder) is None


def test_an_empty_file_is_no_token(tmp_path: Path) -> None:
    keep_token(tmp_path, " \n")
    assert kept_token(tmp_path) is None
