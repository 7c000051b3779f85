"""Has a peer load what we exported, in its own environment."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from tests.interop.environments import ROOT, Environment, missing
from tests.interop.reading import Tensors


def need(peer: Environment) -> None:
    """Skip the test where the peer's environment is not there."""
    if lacking := missing(peer):
        pytest.skip(f"the peer's environment lacks {', '.join(lacking)}; tests.interop.environments makes it")


def loaded_by(
    peer: Environment, module: str, jobs: list[dict[str, Any]], folder: Path
) -> tuple[Tensors, dict[str, str]]:
    """(the outputs of all jobs, the reasons of those that failed): our `module`, run by the peer's Python."""
    given, result = folder / "jobs.json", folder / "result.safetensors"
    given.write_text(json.dumps(jobs), encoding="utf-8")
    subprocess.run(
        [str(peer.python), "-m", module, str(given), str(result)],
        check=True,
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    with safe_open(result, "pt") as file:
        failed: dict[str, str] = file.metadata() or {}
    return load_file(result), failed
