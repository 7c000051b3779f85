"""`adapters` itself loads what we export, every tensor of it, and computes what we compute.

The peer runs in its own environment, once for all: python -m tests.interop.environments adapters makes it.
"""

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from tests.interop import hub_exports as exports
from tests.interop.environments import ENVIRONMENTS
from tests.interop.peers import loaded_by, need
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
        self.theirs, self.failed = loaded_by(_PEER, "tests.interop.adapters_cases.loading", jobs, folder)

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
    need(_PEER)
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
