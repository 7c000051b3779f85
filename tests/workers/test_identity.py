"""Worker names tell the living from the dead, and nothing about strangers."""

import os
import subprocess
import sys

import pytest

from workers.identity import is_gone, own_name


def test_this_process_lives() -> None:
    assert not is_gone(own_name())


def test_an_ended_process_is_gone() -> None:
    code = "from workers.identity import own_name; print(own_name())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert is_gone(done.stdout.strip())


def test_a_new_process_with_an_old_number_is_another() -> None:
    home, _, _ = own_name().rsplit(":", 2)
    assert is_gone(f"{home}:{os.getpid()}:1")


@pytest.mark.parametrize("name", ["elsewhere/abc/123:1:2", "", "nonsense", ":::"])
def test_of_others_nothing_is_known(name: str) -> None:
    assert not is_gone(name)
