"""Reading the files of the native format as far as their headers, and then what is sound and fits."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from adapter_lib.formats.expected import Problem, Shape, check_backbone, compare
from adapter_lib.formats.fingerprint import fingerprint
from adapter_lib.formats.report import LoadReport, refuse
from adapter_lib.inject import Atlas
from adapter_lib.spec.documents import MAX_BYTES, BackboneRef, MadeFor
from adapter_lib.spec.errors import AdapterLibError, LoadError
from adapter_lib.spec.safetensors_header import Header, read_header

# Numbers that an adapter may have beyond its file's, when it is loaded leniently.
_MOST_UNFILLED = 10_000_000


@dataclass(frozen=True)
class Weights:
    """A weights file that was read as far as its header and found fit; nothing of it is allocated yet."""

    path: Path
    header: Header
    problems: tuple[Problem, ...]
    other_backbone: str | None

    def report(self, name: str) -> LoadReport:
        """What will become of every tensor."""
        bad = self._keys("unexpected", "wrong_shape", "wrong_dtype")
        return LoadReport(
            name=name,
            matched=tuple(tensor.name for tensor in self.header.tensors if tensor.name not in bad),
            missing=self._keys("missing"),
            unexpected=self._keys("unexpected"),
            wrong_shape=self._keys("wrong_shape", "wrong_dtype"),
            other_backbone=self.other_backbone,
        )

    def fill(self, targets: Mapping[str, Tensor]) -> None:
        """Copy the tensors that match into those of the same key. Raises LoadError."""
        keys = self.report("").matched
        try:
            with safe_open(self.path, framework="pt") as file, torch.no_grad():
                for key in keys:
                    targets[key].copy_(file.get_tensor(key))
        except (OSError, SafetensorError) as error:
            raise LoadError(f"{self.path} cannot be read: {error}.") from error

    def _keys(self, *kinds: str) -> tuple[str, ...]:
        return tuple(problem.key for problem in self.problems if problem.kind in kinds)


def check_weights(
    path: Path,
    expected: Callable[[], Mapping[str, Shape]],
    made_for: MadeFor,
    atlas: Atlas,
    *,
    strict: bool,
    counted: Collection[str] = (),
    passed_over: Collection[str] = (),
) -> Weights:
    """Check a weights file against what is expected of it on a model with these places.

    expected: tells the keys and shapes, or raises AdapterLibError where the model cannot have them; asked
    only for a model of the right architecture. counted: as in `compare`. passed_over: keys that do not
    matter, whether they are there or not.
    Raises LoadError or HeaderError for a file that is unreadable or made for another architecture; with
    `strict` also for any tensor that is missing, unexpected or of a wrong shape, and for a backbone with
    other weights.
    """
    whole = header_of(path)
    header = replace(whole, tensors=tuple(t for t in whole.tensors if t.name not in passed_over))
    problems = check_backbone(made_for, atlas) or _compared(expected, header, counted)
    if problems and (strict or problems[0].kind == "backbone"):
        raise refuse(path.parent, problems)
    if problems:
        _check_size(path, expected(), header)
    other = other_backbone(made_for.backbone, atlas)
    if other and strict:
        raise LoadError(f"{other} strict=False loads it all the same.")
    return Weights(path, header, tuple(problems), other)


def _compared(
    expected: Callable[[], Mapping[str, Shape]], header: Header, counted: Collection[str]
) -> list[Problem]:
    try:
        shapes = expected()
    except AdapterLibError as error:
        return [Problem("backbone", "", str(error))]
    return compare(shapes, header, counted)


def _check_size(path: Path, expected: Mapping[str, Shape], header: Header) -> None:
    """What a file does not hold is made, so a config must not ask for endlessly more than there is."""
    asked, there = sum(map(math.prod, expected.values())), sum(t.elements for t in header.tensors)
    if asked > _MOST_UNFILLED + 100 * there:
        raise LoadError(f"The config in {path.parent} asks for {asked} numbers, but its file has {there}.")


def read_bytes(path: Path) -> bytes:
    """A document, but no more of it than one byte too much. Raises LoadError."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error


def header_of(path: Path) -> Header:
    """A weights file's header. Raises LoadError, or HeaderError for an unsound one."""
    try:
        return read_header(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def other_backbone(made_for: BackboneRef, atlas: Atlas) -> str | None:
    """One sentence if the weights are not those that an adapter was made for."""
    here = fingerprint(atlas)
    if here == made_for.fingerprint:
        return None
    name = made_for.id or "a backbone without a name"
    return (
        f"The adapter was made for {name} (fingerprint {made_for.fingerprint[:12]}), "
        f"but this model's weights have the fingerprint {here[:12]}."
    )


def _unreadable(path: Path, error: OSError) -> LoadError:
    return LoadError(f"{path} cannot be read: {error.strerror}. Is this the folder of an adapter?")
