"""What stands in the way of a start is one sentence."""

import os
import socket
from pathlib import Path

import pytest

from hubsite.launch import checks
from hubsite.launch.errors import CannotStart


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    checks.check_folder(tmp_path / "a" / "b", needed=1)
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        CannotStart, match=r"cannot be written \(Not a directory\); name another with --data-dir"
    ):
        checks.check_folder(tmp_path / "file" / "data", needed=1)


def test_a_disk_with_too_little_room_is_full(tmp_path: Path) -> None:
    with pytest.raises(
        CannotStart, match=r"is full: \d+ MB are free and 1000000000 MB are needed; make room"
    ):
        checks.check_folder(tmp_path, needed=10**9 * 1024**2)


def test_one_folder_has_one_hub(tmp_path: Path) -> None:
    with checks.lock_folder(tmp_path), pytest.raises(CannotStart) as caught:
        checks.lock_folder(tmp_path)
    assert f"Another hub (process {os.getpid()}) already uses {tmp_path}" in caught.value.message
    checks.lock_folder(tmp_path).close()


def test_a_listener_accepts_and_says_which_port_was_free() -> None:
    with (
        checks.listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname(), timeout=2),
    ):
        assert listener.getsockname()[1] > 0


def test_a_port_in_use_is_said() -> None:
    with checks.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"Port {port} on 127\.0\.0\.1 is in use; .* --port\."):
            checks.listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "sentence"),
    [
        ("127.0.0.1", 65536, "65536 is no port; choose one from 0 to 65535"),
        ("127.0.0.1", -1, "-1 is no port"),
        ("192.0.2.1", 0, "cannot listen on 192.0.2.1, port 0"),
        ("no such host", 0, "cannot listen on no such host"),
    ],
)
def test_an_address_that_cannot_be_is_said(host: str, port: int, sentence: str) -> None:
    with pytest.raises(CannotStart, match=sentence):
        checks.listen(host, port)
