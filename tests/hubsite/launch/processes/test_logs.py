"""Logs grow by appending, and one that has grown long is put aside."""

from pathlib import Path

from hubsite.launch.processes.logs import log_file


def test_a_short_log_stays(tmp_path: Path) -> None:
    path = log_file(tmp_path / "logs", "web")
    path.write_text("a line\n")
    assert log_file(tmp_path / "logs", "web") == path
    assert path.read_text() == "a line\n"


def test_a_long_log_makes_room(tmp_path: Path) -> None:
    path = log_file(tmp_path, "web")
    path.write_bytes(b"x" * (10 * 1024**2 + 1))
    assert not log_file(tmp_path, "web").exists()
    assert (tmp_path / "web.log.1").stat().st_size == 10 * 1024**2 + 1
