"""DistributedDataParallel over gloo: two processes train what one trains with the rows of both."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.adapter_lib.training.running import own_precision
from tests.adapter_lib.training.two_processes import Trained, trainings

_LIMIT_SECONDS = 180.0


def _in_two_processes(folder: Path) -> list[dict[str, Trained]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    processes = [_start(folder, rank, shared) for rank in range(2)]
    _wait(processes)
    assert [process.returncode for process in processes] == [0, 0], _logs(folder)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def _start(folder: Path, rank: int, shared: dict[str, str]) -> subprocess.Popen[bytes]:
    with (folder / f"{rank}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.adapter_lib.training.two_processes", str(folder)],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _logs(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.log")))


def _wait(processes: list[subprocess.Popen[bytes]]) -> None:
    """Until all are done, or one has failed: the other would wait for it for ever."""
    end = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < end:
        codes = [process.poll() for process in processes]
        if any(codes) or None not in codes:
            break
        time.sleep(0.05)
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Trained]]:
    """What each of two processes ended with, and what one process alone did."""
    folder = tmp_path_factory.mktemp("two")
    with own_precision():
        return [*_in_two_processes(folder), trainings(folder, 0, 1)]


def test_both_processes_end_with_the_same_numbers(ended: list[dict[str, Trained]]) -> None:
    first, second, _ = ended
    assert first.keys() == second.keys()
    for training, parameters in first.items():
        assert all(torch.equal(value, second[training][name]) for name, value in parameters.items()), training


def test_two_processes_end_where_one_does(ended: list[dict[str, Trained]]) -> None:
    first, _, alone = ended
    for training, parameters in alone.items():
        # In bfloat16 it matters how many rows are in a sum.
        close = 1e-2 if "bfloat16" in training else 1e-6
        for name, value in parameters.items():
            torch.testing.assert_close(
                first[training][name], value, atol=close, rtol=0, msg=f"{training}: {name}"
            )


def test_training_did_something(ended: list[dict[str, Trained]]) -> None:
    alone = ended[2]
    a, b = alone["trainer"], alone["trainer in bfloat16"]
    assert any(not torch.equal(value, b[name]) for name, value in a.items())
    for training, other in (
        ("trainer with accumulation", "trainer"),
        ("trainer with checkpointing", "trainer"),
        ("trainer that looks for nothing unused", "trainer"),
    ):
        for name, value in alone[training].items():
            torch.testing.assert_close(alone[other][name], value, atol=1e-6, rtol=0)
