"""Loads folders of AdapterHub adapters with `adapters` itself and writes what it computes.

python -m tests.interop.adapters_cases.loading JOB.json RESULT.safetensors, in that peer's environment, with
JOB a list of {name, base, folder, inputs}: the folder of an adapter, or of a whole set-up. A case that fails
is named in RESULT's metadata with the reason.
"""

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from tests.interop.adapters_cases import running
from tests.interop.adapters_cases.peer import adapters
from tests.interop.recording import run_jobs

# The peer keeps every layer's reference to a pool of prefixes under a name of its own.
_COPIES = ".prefix_tuning.pool."


def run(job: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The outputs of adapters on their base, every one of their tensors loaded from the files."""
    base = Path(job["base"])
    model = adapters.AutoAdapterModel.from_pretrained(str(base), attn_implementation="eager").eval()
    if (Path(job["folder"]) / "adapter_setup.json").exists():
        model.load_adapter_setup(job["folder"], set_active=True, use_safetensors=True)
    else:
        info: dict[str, list[str]] = {}
        name = model.load_adapter(job["folder"], loading_info=info, use_safetensors=True)
        _check(info)
        model.set_active_adapters(name)
    outputs = running.run(model.eval(), load_file(job["inputs"]))
    return {f"{job['name']}/{name}": value.double() for name, value in outputs.items()}


def _check(info: dict[str, list[str]]) -> None:
    missing = [key for key in info.get("missing_keys", []) if _COPIES not in key]
    unexpected = info.get("unexpected_keys", [])
    if missing or unexpected:
        raise ValueError(f"missing {missing[:3]}, unexpected {unexpected[:3]}")


def main(jobs: Path, result: Path) -> None:
    """Run all jobs of a file."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    run_jobs(run, jobs, result)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
