"""Writes the reference data of the peer `adapters`: python -m tests.interop.generate_adapters [FAMILY …]."""

import logging
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

from tests.interop.adapters_cases import running
from tests.interop.adapters_cases.composition import Case, cases_of
from tests.interop.adapters_cases.defects import measure_all
from tests.interop.adapters_cases.families import FAMILIES, Family
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

OUT = DATA / "adapters"
_PACKAGES = ("adapters", "transformers", "torch", "safetensors", "huggingface_hub")


def generate(family: Family) -> None:
    """One family's folder, from nothing."""
    folder = OUT / family.name
    shutil.rmtree(folder, ignore_errors=True)
    model = running.bare(family)
    variants = family.variants(model.config)
    running.inner(model).save_pretrained(folder / "base", safe_serialization=True)
    tensors = inputs_of(variants)
    crashes: dict[str, str] = {}
    bare = running.bare(family)
    record(tensors, "base", variants, crashes, lambda inputs: running.run(bare, dict(inputs)))
    listed = {}
    for case in cases_of(family):
        entry = _case(family, case, variants, tensors, crashes)
        if entry["variants"]:
            listed[case.name] = entry
    # Only now, for cases share members: what the last of them saved must be what the first computed.
    for case in cases_of(family):
        if case.name in listed:
            listed[case.name]["reload_difference"] = _reload_difference(family, case, variants, tensors)
    _forget_unused(folder, listed)
    write_tensors(folder / "expected.safetensors", tensors)
    write_json(folder / "cases.json", listed)
    write_json(folder / "crashes.json", crashes)
    print(f"{family.name}: {len(listed)} cases, {len(crashes)} crashes")


def _case(
    family: Family, case: Case, variants: Variants, tensors: Tensors, crashes: dict[str, str]
) -> dict[str, Any]:
    entry: dict[str, Any] = {"adapters": list(case.saved), "setup": case.setup_json, "variants": []}
    model = attempted(_saved, family, case)
    if isinstance(model, str):
        crashes[case.name] = model
        return entry
    variants = variants if case.padded else {"plain": variants["plain"]}
    entry["attention"] = case.attention
    entry["variants"] = record(
        tensors,
        f"cases/{case.name}",
        variants,
        crashes,
        lambda inputs: running.run(model, running.arguments(case, inputs)),
    )
    entry["precision"] = precision_of(tensors, f"cases/{case.name}/")
    entry["extra"] = case.extra
    if case.fusion:
        entry["fusion"] = case.fusion_folder
    if case.merged:
        entry |= {"merged_from": list(case.configs), "merged_by": case.merged}
    if case.head:
        entry["head"] = case.head.method
    if case.shared:
        entry["shared"] = list(case.shared)
    return entry


def _saved(family: Family, case: Case) -> Any:
    """The model with a case's adapters, which are written to their files."""
    model = running.with_case(family, case)
    running.save(family, model, case, OUT / family.name)
    return model


def _reload_difference(family: Family, case: Case, variants: Variants, tensors: Tensors) -> float | str:
    """How far the peer's own reading of its file is from what it computed before saving."""
    variant = next(name for name in variants if f"cases/{case.name}/{name}/" in "\n".join(tensors))

    def again() -> Tensors:
        model = running.reloaded(family, case, OUT / family.name)
        return running.run(model, running.arguments(case, variants[variant]))

    return reload_difference(tensors, f"cases/{case.name}/{variant}", again)


def _forget_unused(folder: Path, listed: dict[str, Any]) -> None:
    """Remove checkpoints that no recorded case names, and the peer's heads, which are empty here."""
    used = {name for entry in listed.values() for name in (*entry["adapters"], *entry.get("merged_from", ()))}
    fusions = {entry["fusion"] for entry in listed.values() if "fusion" in entry}
    for place, kept in (("checkpoints", used), ("fusions", fusions)):
        for path in (folder / place).glob("*"):
            if path.name not in kept:
                shutil.rmtree(path)


def main(names: list[str]) -> None:
    """Generate the named families, or all."""
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)  # sums in one order, so that a second run changes nothing
    unknown = set(names) - {family.name for family in FAMILIES}
    if unknown:
        known = ", ".join(family.name for family in FAMILIES)
        sys.exit(f"No family is called {', '.join(sorted(unknown))}; there are {known}.")
    for family in FAMILIES:
        if not names or family.name in names:
            generate(family)
    if not names:
        write_json(OUT / "defects.json", measure_all())
    write_versions(OUT / "versions.json", _PACKAGES)


if __name__ == "__main__":
    main(sys.argv[1:])
