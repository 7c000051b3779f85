"""`peft` itself loads what we export, and computes what we compute.

The peer runs in its own environment, once for all cases: python -m tests.interop.environments peft makes it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.interop import exports
from tests.interop.environments import ENVIRONMENTS
from tests.interop.exports import FAMILIES, REFUSED
from tests.interop.peers import loaded_by, need
from tests.interop.reading import Tensors

pytestmark = pytest.mark.matrix

_PEER = ENVIRONMENTS["peft"]
# In front of a model that has a classifier of its own.
_PROMPTS = {
    "prompt": "prompt_tuning[prompt_length=2]",
    "prefix": "prefix_tuning_flat[prefix_length=2, shift_positions=true]",
}
_CASES = [
    *((f, name) for f in FAMILIES for name in exports.configs(f) if (f, name) not in REFUSED),
    ("t5", "prefix_halves"),
    *((kind, "head") for kind in exports.CLASSIFIERS),
    *(("GPT2ForSequenceClassification", name) for name in _PROMPTS),
]
_IDS = torch.tensor([[5, 7, 9, 11], [6, 8, 10, 12]])
_TOLERANCE = 1e-5


class Loaded:
    """What the peer made of every case, and what ours computes."""

    def __init__(self, folder: Path) -> None:
        self.ours: dict[str, Tensors] = {}
        jobs = [
            self._classified(folder, family, name) if "For" in family else self._job(folder, family, name)
            for family, name in _CASES
        ]
        self.theirs, self.failed = loaded_by(_PEER, "tests.interop.peft_cases.loading", jobs, folder)

    def _job(self, folder: Path, family: str, name: str) -> dict[str, str]:
        model = exports.with_equal_halves() if name == "prefix_halves" else exports.with_adapter(family, name)
        case, key = exports.case_of(family), f"{family}.{name}"
        exports.exported(model, folder / key)
        self.ours[key] = exports.outputs(model, case)
        inputs = folder / f"{family}.safetensors"
        save_file({name: value.contiguous() for name, value in case.inputs().items()}, inputs)
        kind = json.loads((case.base / "config.json").read_text(encoding="utf-8"))["architectures"][0]
        paths = {"base": str(case.base), "adapter": str(folder / key), "inputs": str(inputs)}
        return {"name": key, "kind": kind, **paths}

    def _classified(self, folder: Path, kind: str, name: str) -> dict[str, str]:
        key, prompt = f"{kind}.{name}", _PROMPTS.get(name)
        model = exports.with_head(kind) if prompt is None else exports.with_prompt(kind, prompt)
        exports.exported(model, folder / key)
        exports.classifier_base(kind).save_pretrained(folder / kind)
        inputs = {"input_ids": _IDS, "attention_mask": torch.ones_like(_IDS)}
        save_file(inputs, folder / f"{kind}.safetensors")
        with torch.no_grad():
            self.ours[key] = {"logits": model.double()(**inputs).logits}
        paths = {"base": kind, "adapter": key, "inputs": f"{kind}.safetensors"}
        return {"name": key, "kind": kind, **{name: str(folder / path) for name, path in paths.items()}}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: Any) -> Loaded:
    need(_PEER)
    return Loaded(tmp_path_factory.mktemp("exports"))


@pytest.mark.parametrize(("family", "name"), _CASES)
def test_peft_computes_what_we_compute(loaded: Loaded, family: str, name: str) -> None:
    key = f"{family}.{name}"
    assert key not in loaded.failed, loaded.failed[key]
    for output, own in loaded.ours[key].items():
        theirs = loaded.theirs[f"{key}/{output}"]
        # The peer gives an output for every token of a prompt too, in front of those that ours gives.
        theirs = (theirs[:, -own.shape[1] :] if theirs.dim() > 2 else theirs).double()
        scale = max(1.0, float(theirs.abs().max()))
        assert float((own - theirs).abs().max()) / scale <= _TOLERANCE
