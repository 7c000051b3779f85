"""`adapters` itself loads what we export, every tensor of it, and computes what we compute.

The peer runs in its own environment, once for all: python -m tests.interop.environments adapters makes it.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.interop import hub_exports as exports
from tests.interop.environments import ENVIRONMENTS, ROOT, missing
from tests.interop.reading import Tensors

pytestmark = pytest.mark.matrix

_PEER = ENVIRONMENTS["adapters"]
_TOLERANCE = 1e-5


class Loaded:
    """What the peer made of every case, and what ours computes."""

    def __init__(self, folder: Path) -> None:
        self.ours: dict[str, Tensors] = {}
        jobs = [self._job(folder, family, name) for family, name in exports.cases()]
        jobs += [self._setup(folder, name) for name in exports.setups()]
        jobs += [self._job(folder, family, name) for family, name in exports.heads()]
        (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
        result = folder / "result.safetensors"
        module = "tests.interop.adapters_cases.loading"
        subprocess.run(
            [str(_PEER.python), "-m", module, str(folder / "jobs.json"), result],
            check=True,
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
        with safe_open(result, "pt") as file:
            self.failed: dict[str, str] = file.metadata() or {}
        self.theirs = load_file(result)

    def _job(self, folder: Path, family: str, name: str) -> dict[str, Any]:
        make = exports.with_head if (family, name) in exports.heads() else exports.with_adapter
        model, key = make(family, name), f"{family}.{name}"
        exports.exported(model, folder / key)
        return self._described(folder, family, key, model)

    def _setup(self, folder: Path, name: str) -> dict[str, Any]:
        model, key = exports.with_setup(name), f"bert.{name}"
        model.save_adapter_setup(folder / key, format="adapterhub")
        return self._described(folder, "bert", key, model)

    def _described(self, folder: Path, family: str, key: str, model: Any) -> dict[str, Any]:
        case = exports.case_of(family)
        # With padding where the peer can run everything so.
        variant = "padded" if family == "bert" else "plain"
        self.ours[key] = exports.outputs(model, case, variant)
        inputs = folder / f"{family}.safetensors"
        save_file({name: value.contiguous() for name, value in case.inputs(variant).items()}, inputs)
        return {"name": key, "base": str(case.base), "folder": str(folder / key), "inputs": str(inputs)}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: Any) -> Loaded:
    lacking = missing(_PEER)
    if lacking:
        pytest.skip(f"the peer's environment lacks {', '.join(lacking)}; tests.interop.environments makes it")
    return Loaded(tmp_path_factory.mktemp("exports"))


_ALL = [*exports.cases(), *(("bert", name) for name in exports.setups()), *exports.heads()]


@pytest.mark.parametrize(("family", "name"), _ALL)
def test_adapters_computes_what_we_compute(loaded: Loaded, family: str, name: str) -> None:
    key = f"{family}.{name}"
    assert key not in loaded.failed, loaded.failed[key]
    for output, own in loaded.ours[key].items():
        theirs = loaded.theirs[f"{key}/{output}"]
        scale = max(1.0, float(theirs.abs().max()))
        assert float((own - theirs).abs().max()) / scale <= _TOLERANCE
