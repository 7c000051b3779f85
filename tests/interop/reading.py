"""Reads the peers' reference data: what a comparison test needs of one case."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

DATA = Path(__file__).resolve().parent / "data"
PEERS = ("adapters", "peft")

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Reference:
    """One case: a peer's checkpoints, and what the peer computed with them."""

    peer: str
    family: str
    case: str
    entry: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Everything of the family."""
        return DATA / self.peer / self.family

    @property
    def base(self) -> Path:
        """The base model: config.json and model.safetensors."""
        return self.folder / "base"

    @property
    def adapters(self) -> dict[str, Path]:
        """The checkpoint folder of every adapter by its name."""
        return {name: self.folder / "checkpoints" / name for name in self.entry["adapters"]}

    @property
    def adapter(self) -> Path:
        """The checkpoint folder of the case's only adapter."""
        (path,) = self.adapters.values()
        return path

    @property
    def fusion(self) -> Path | None:
        """The folder of the case's fusion, where it has one."""
        return self.folder / "fusions" / self.entry["fusion"] if "fusion" in self.entry else None

    @property
    def setup(self) -> str | dict[str, Any]:
        """The adapter's name, or the composition as the peer `adapters` writes it."""
        found: str | dict[str, Any] = self.entry["setup"]
        return found

    @property
    def variants(self) -> tuple[str, ...]:
        """`plain`, and `padded` where the case was run with padding too."""
        return tuple(self.entry["variants"])

    @property
    def reload_difference(self) -> float | str:
        """What the peer itself loses when it reads its file; a sentence where it cannot."""
        found: float | str = self.entry["reload_difference"]
        return found

    def config(self, name: str | None = None) -> dict[str, Any]:
        """The adapter_config.json of one adapter, or of the only one."""
        folder = self.adapter if name is None else self.adapters[name]
        return _json(folder / "adapter_config.json")

    def inputs(self, variant: str = "plain") -> Tensors:
        """The arguments of the forward; integers and float32."""
        extra = {name: torch.tensor(value) for name, value in self.entry.get("extra", {}).items()}
        return {**_under(self.folder, f"inputs/{variant}/"), **extra}

    def base_outputs(self, variant: str = "plain") -> Tensors:
        """What the base model computes, by output name."""
        return _under(self.folder, f"base/{variant}/")

    def outputs(self, variant: str = "plain") -> Tensors:
        """What the peer computes with the setup active, by output name."""
        return _under(self.folder, f"cases/{self.case}/{variant}/")


def families(peer: str) -> tuple[str, ...]:
    """The families that this peer has data of."""
    if peer not in PEERS:
        raise ValueError(f"There is no data of the peer {peer!r}; there is of {', '.join(PEERS)}.")
    return tuple(sorted(path.parent.name for path in (DATA / peer).glob("*/cases.json")))


def references(peer: str, *, family: str | None = None) -> Iterator[Reference]:
    """Every case of a peer, or of one of its families, in the order of their names."""
    for name in families(peer) if family is None else (family,):
        path = DATA / peer / name / "cases.json"
        if not path.exists():
            raise ValueError(f"The peer {peer} has no family {name!r}; it has {', '.join(families(peer))}.")
        for case, entry in sorted(_json(path).items()):
            yield Reference(peer, name, case, entry)


def reference(peer: str, family: str, case: str) -> Reference:
    """One case by name."""
    for found in references(peer, family=family):
        if found.case == case:
            return found
    raise ValueError(
        f"The peer {peer} has no case {case!r} for {family}; see its cases.json and crashes.json."
    )


def crashes(peer: str, family: str) -> dict[str, str]:
    """Cases, or case/variant, that the peer cannot run, with its exception's first line."""
    return _json(DATA / peer / family / "crashes.json")


def defects() -> dict[str, dict[str, Any]]:
    """Measured defects of the peer `adapters`: sentence, number, expected."""
    return _json(DATA / "adapters" / "defects.json")


@cache
def _expected(folder: Path) -> Tensors:
    return load_file(str(folder / "expected.safetensors"))


def _under(folder: Path, prefix: str) -> Tensors:
    """Copies, so that a test that writes into one harms no other."""
    found = {
        name.removeprefix(prefix): value.clone()
        for name, value in _expected(folder).items()
        if name.startswith(prefix)
    }
    if not found:
        raise ValueError(
            f"{folder / 'expected.safetensors'} has nothing under {prefix!r}; look at `variants`."
        )
    return found


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
