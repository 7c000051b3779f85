"""The main job, as `make run` does it: train, publish, validate, find, load back; nothing is stood in for."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Far above what two cores need: only a hang meets it.
_PATIENCE = 900
_ADDRESS = re.compile(r"The hub is at (http://[\d.:]+)")
_PREDICTION = re.compile(r"^\s+(positive|negative) \((?:0\.\d\d|1\.00)\)", re.MULTILINE)


@dataclass
class Hub:
    """A hub in a process of its own, with what it has printed so far."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def url(self) -> str:
        return _ADDRESS.search(self.output)[1]  # type: ignore[index]

    def read_until(self, words: str) -> None:
        """Follow its output until a line has `words`; the output is the message if it ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return
        pytest.fail("The hub ended:\n" + "".join(self.lines[-40:]))

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.url}{path}") as answer:  # noqa: S310 - the hub's own address
            return str(answer.read().decode())

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))


@contextmanager
def _running(data_dir: Path) -> Iterator[Hub]:
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "ADAPTER_LIB_CACHE": str(data_dir / "cache")}
    command = [sys.executable, "manage.py", "hub", "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watchdog = threading.Timer(_PATIENCE, process.kill)
    watchdog.start()
    try:
        yield Hub(process)
    finally:
        watchdog.cancel()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("main-job")


@pytest.fixture(scope="module")
def hub(data_dir: Path) -> Iterator[Hub]:
    """A hub on its first start, with its demo prepared."""
    with _running(data_dir) as started:
        started.read_until("The hub goes on at")
        yield started


def test_three_predictions_are_printed(hub: Hub) -> None:
    assert len(_PREDICTION.findall(hub.output)) == 3


def test_both_adapters_are_listed_with_scores_above_both_baselines(hub: Hub) -> None:
    scores = [
        hub.json(f"/api/v1/adapters/demo/{name}")["score"] for name in ("sentiment-lora", "sentiment-seq-bn")
    ]
    assert hub.json("/api/v1/search?task=sentiment")["total"] == 2
    for score in scores:
        assert score["value"] > score["probe"] > score["majority"]
        assert score["low"] < score["value"] < score["high"]


def test_the_page_s_code_runs(hub: Hub, data_dir: Path) -> None:
    page = hub.get("/demo/sentiment-lora")
    codes = [html.unescape(code) for code in re.findall(r'<code id="[^"]+">(.*?)</code>', page, re.DOTALL)]
    environment = {**os.environ, "ADAPTER_LIB_CACHE": str(data_dir / "cache")}
    assert codes
    for code in codes:
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "positive" in done.stdout or "negative" in done.stdout


def test_a_second_start_has_everything_already(hub: Hub, data_dir: Path) -> None:
    """While a hub holds the folder a second one is refused; after it has stopped, the demo is there."""
    refused = subprocess.run(
        [sys.executable, "manage.py", "hub", "--port", "0", "--data-dir", str(data_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert refused.stderr.strip().count("\n") == 0
    hub.process.send_signal(signal.SIGINT)
    hub.process.wait(timeout=30)
    with _running(data_dir) as again:
        again.read_until("The hub is at")
        assert again.json("/api/v1/search?task=sentiment")["total"] == 2
    assert "training" not in again.output
