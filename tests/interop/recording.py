"""What both generators use: seeded noise, float64 forwards, and the files of one family."""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import save_file

DATA = Path(__file__).resolve().parent / "data"
BASE_NOISE = 0.05
ADAPTER_NOISE = 0.2

Tensors = dict[str, torch.Tensor]
# By the name of a batch, the arguments of a model's call.
Variants = dict[str, dict[str, torch.Tensor]]

T = TypeVar("T")


def seed_of(text: str) -> int:
    """The same number for the same text in every process."""
    return zlib.crc32(text.encode())


def add_noise(parameters: Mapping[str, torch.nn.Parameter], std: float, text: str) -> None:
    """Add N(0, std) to every parameter, in the order of their names, from a seed made of `text`."""
    generator = torch.Generator().manual_seed(seed_of(text))
    with torch.no_grad():
        for _, parameter in sorted(parameters.items()):
            if parameter.is_floating_point():
                parameter.add_(std * torch.randn(parameter.shape, generator=generator).to(parameter.dtype))


def token_ids(rows: int, tokens: int, vocab: int, text: str) -> torch.Tensor:
    """Ids that are never special: the first five of the vocabulary are left out."""
    generator = torch.Generator().manual_seed(seed_of(text))
    return torch.randint(5, vocab, (rows, tokens), generator=generator)


def mask_of(lengths: Iterable[int], tokens: int) -> torch.Tensor:
    """1 for a token, 0 for padding on the right."""
    return torch.tensor([[int(place < length) for place in range(tokens)] for length in lengths])


def as_double(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The same arguments with every floating tensor in float64."""
    return {
        name: value.double() if torch.is_tensor(value) and value.is_floating_point() else value
        for name, value in tensors.items()
    }


def as_stored(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """Floats in float32, each tensor with memory of its own, as safetensors wants them."""
    return {
        name: (value.float() if value.is_floating_point() else value).detach().clone().contiguous()
        for name, value in tensors.items()
    }


def attempted(action: Callable[..., T], *args: Any) -> T | str:
    """What an action of a peer gives, or one line about what it raised.

    Nothing is let through: what a peer raises, of whatever kind, is a finding that is written down.
    """
    try:
        return action(*args)
    except Exception as error:  # noqa: BLE001 - whatever the peer raises is what is recorded
        return first_line(error)


def run_jobs(run: Callable[[Any], Tensors], jobs: Path, result: Path) -> None:
    """Write what `run` makes of every job of a file; who fails is named in the metadata with the reason."""
    found: Tensors = {"none": torch.zeros(1)}
    failed: dict[str, str] = {}
    for job in json.loads(jobs.read_text(encoding="utf-8")):
        made = attempted(run, job)
        if isinstance(made, str):
            failed[job["name"]] = made
        else:
            found |= made
    save_file({name: value.contiguous() for name, value in found.items()}, result, metadata=failed)


def inputs_of(variants: Variants) -> Tensors:
    """The arguments of all batches, by the keys under which they are stored."""
    return {
        f"inputs/{variant}/{name}": value
        for variant, inputs in variants.items()
        for name, value in inputs.items()
    }


def record(
    tensors: Tensors,
    key: str,
    variants: Variants,
    crashes: dict[str, str],
    run: Callable[[Tensors], Tensors],
) -> list[str]:
    """Run each variant and keep what it gives; returns the names of those that the peer survived."""
    done = []
    for variant, inputs in variants.items():
        outputs = attempted(run, inputs)
        if isinstance(outputs, str):
            crashes[f"{key.removeprefix('cases/')}/{variant}"] = outputs
            continue
        tensors.update({f"{key}/{variant}/{name}": value for name, value in outputs.items()})
        done.append(variant)
    return done


def reload_difference(tensors: Tensors, key: str, again: Callable[[], Tensors]) -> float | str:
    """How far what the peer computes `again` from its file is from what is kept under a key, case/variant."""
    before = {
        name.removeprefix(f"{key}/"): value for name, value in tensors.items() if name.startswith(f"{key}/")
    }
    after = attempted(again)
    return after if isinstance(after, str) else largest_difference(before, after)


def largest_difference(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> float:
    """The largest absolute difference over tensors of the same names; infinite where shapes differ."""
    if any(one[name].shape != other[name].shape for name in one):
        return float("inf")
    return max(float((one[name].double() - other[name].double()).abs().max()) for name in one)


def precision_of(tensors: Mapping[str, torch.Tensor], prefix: str) -> str:
    """`float64`, or `float32` where the peer would not run in it."""
    found = {value.dtype for name, value in tensors.items() if name.startswith(prefix)}
    return "float64" if found == {torch.float64} else "float32"


def first_line(error: BaseException) -> str:
    """`TypeError: what was wrong`, one line, without the set that safetensors lists in any order."""
    text = (str(error).strip().splitlines() or [""])[0].partition(": [{")[0]
    return f"{type(error).__name__}: {text[:200]}"


def write_json(path: Path, content: Any) -> None:
    """JSON with sorted keys, so that a second run changes nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, sort_keys=True, default=str) + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """A safetensors file in which every float is a float32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(as_stored(tensors), str(path), metadata={"format": "pt"})


def write_versions(path: Path, packages: Iterable[str]) -> None:
    """The versions of the running environment."""
    write_json(path, {package: version(package) for package in packages})
