"""Writes the reference data of the peer `peft`: python -m tests.interop.generate_peft [FAMILY …]."""

import shutil
import sys
import warnings
from functools import partial
from typing import Any

import torch

from tests.interop.peft_cases import running
from tests.interop.peft_cases.families import FAMILIES, Family
from tests.interop.peft_cases.methods import WEIGHTED, WEIGHTS, Case, cases_of, weighted_members
from tests.interop.recording import (
    DATA,
    Tensors,
    Variants,
    attempted,
    inputs_of,
    precision_of,
    record,
    reload_difference,
    write_json,
    write_tensors,
    write_versions,
)

OUT = DATA / "peft"
_PACKAGES = ("peft", "transformers", "torch", "safetensors", "huggingface_hub")


def generate(family: Family) -> None:
    """One family's folder, from nothing."""
    folder = OUT / family.name
    shutil.rmtree(folder, ignore_errors=True)
    family.build().save_pretrained(folder / "base")
    variants = family.variants()
    tensors = inputs_of(variants)
    crashes: dict[str, str] = {}
    bare = family.build()
    record(tensors, "base", variants, crashes, partial(_run, bare))
    listed = {}
    for case in cases_of(family):
        entry = _case(family, case, variants, tensors, crashes)
        if entry["variants"]:
            listed[case.name] = entry
    if family.name == "bert":
        listed |= _weighted(family, variants, tensors)
    used = {name for entry in listed.values() for name in (*entry["adapters"], *entry.get("merged_from", ()))}
    for path in (folder / "checkpoints").glob("*"):
        if path.name not in used:
            shutil.rmtree(path)
    write_tensors(folder / "expected.safetensors", tensors)
    write_json(folder / "cases.json", listed)
    write_json(folder / "crashes.json", crashes)
    print(f"{family.name}: {len(listed)} cases, {len(crashes)} crashes")


def _case(
    family: Family, case: Case, variants: Variants, tensors: Tensors, crashes: dict[str, str]
) -> dict[str, Any]:
    entry: dict[str, Any] = {"adapters": [case.name], "setup": case.name, "variants": []}
    checkpoint = OUT / family.name / "checkpoints" / case.name
    model = attempted(running.with_case, family, case, checkpoint)
    if isinstance(model, str):
        crashes[case.name] = model
        return entry
    variants = variants if case.padded else {"plain": variants["plain"]}
    entry["variants"] = record(tensors, f"cases/{case.name}", variants, crashes, partial(_run, model))
    entry["precision"] = precision_of(tensors, f"cases/{case.name}/")
    if entry["variants"]:
        entry["reload_difference"] = _reload_difference(
            family, case.name, entry["variants"][0], variants, tensors
        )
    return entry


def _weighted(family: Family, variants: Variants, tensors: Tensors) -> dict[str, Any]:
    """Two LoRAs, and what the peer makes of them in each of its ways."""
    checkpoints = OUT / family.name / "checkpoints"
    configs = weighted_members(family)
    listed = {}
    for way, options in WEIGHTED.items():
        name = f"weighted_{way}"
        model = running.members(family, configs, checkpoints)
        arguments = {"combination_type": way, **options}
        model.add_weighted_adapter(list(configs), WEIGHTS, name, **arguments)
        running.save_one(model, name, checkpoints)
        model.set_adapter(name)
        plain = {"plain": variants["plain"]}
        done = record(tensors, f"cases/{name}", plain, {}, partial(_run, model))
        listed[name] = {
            "adapters": [name],
            "setup": name,
            "variants": done,
            "precision": precision_of(tensors, f"cases/{name}/"),
            "merged_from": list(configs),
            "merged_by": {"weights": WEIGHTS, **arguments},
            "reload_difference": _reload_difference(family, name, "plain", variants, tensors),
        }
    return listed


def _run(model: Any, inputs: Tensors) -> Tensors:
    return running.run(model, dict(inputs))


def _reload_difference(
    family: Family, name: str, variant: str, variants: Variants, tensors: Tensors
) -> float | str:
    """How far the peer's own reading of its file is from what it computed before saving."""

    def again() -> Tensors:
        model = running.reloaded(family, OUT / family.name / "checkpoints" / name)
        return _run(model, variants[variant])

    return reload_difference(tensors, f"cases/{name}/{variant}", again)


def main(names: list[str]) -> None:
    """Generate the named families, or all."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # sums in one order, so that a second run changes nothing
    unknown = set(names) - {family.name for family in FAMILIES}
    if unknown:
        known = ", ".join(family.name for family in FAMILIES)
        sys.exit(f"No family is called {', '.join(sorted(unknown))}; there are {known}.")
    for family in FAMILIES:
        if not names or family.name in names:
            generate(family)
    write_versions(OUT / "versions.json", _PACKAGES)


if __name__ == "__main__":
    main(sys.argv[1:])
