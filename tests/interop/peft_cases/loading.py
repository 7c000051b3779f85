"""Loads folders of PEFT adapters with `peft` itself and writes what it computes.

python -m tests.interop.peft_cases.loading JOB.json RESULT.safetensors, in that peer's environment, with JOB a
list of {name, base, kind, adapter, inputs}. A case that fails is named in RESULT's metadata with the reason.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from tests.interop.peft_cases.peer import peft, transformers
from tests.interop.recording import as_double, run_jobs

_OUTPUTS = ("last_hidden_state", "logits")


def run(job: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The outputs of one adapter on its base, in float64 where the peer's code takes it."""
    base = getattr(transformers, job["kind"]).from_pretrained(job["base"], attn_implementation="eager")
    model = peft.PeftModel.from_pretrained(base.eval(), job["adapter"]).eval()
    inputs = load_file(job["inputs"])
    with torch.no_grad():
        try:
            output = model.double()(**as_double(inputs))
        except RuntimeError as error:
            if "ouble" not in str(error):
                raise
            output = model.float()(**inputs)
    return {
        f"{job['name']}/{name}": output[name].float() for name in _OUTPUTS if output.get(name) is not None
    }


def main(jobs: Path, result: Path) -> None:
    """Run all jobs of a file."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    run_jobs(run, jobs, result)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
