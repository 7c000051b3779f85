"""What importers of other formats make, what exporters are given, and how both meet a model.

An importer (`formats.adapterhub`, `formats.peft`) reads a folder and makes an `Imported`: a config and
tensors of ours, with an account of every tensor of the file. `attach_imported` puts it on a model. An
exporter takes an `Exportable` and makes an `Exported`, which `formats.writing` writes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from adapter_lib.formats.expected import (
    Problem,
    head_shapes,
    method_shapes,
    misfits,
    shared_key,
    tensor_key,
)
from adapter_lib.formats.report import LoadReport, refuse
from adapter_lib.heads import Head, HeadStore
from adapter_lib.inject import Atlas, Injection
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.errors import AdapterLibError, LoadError
from adapter_lib.spec.heads import HeadSpec
from adapter_lib.spec.manifest import HEAD_PREFIX, BackboneRef

ADAPTERHUB = "adapterhub"
PEFT = "peft"
NATIVE = "native"
FORMATS = (NATIVE, ADAPTERHUB, PEFT)


@dataclass(frozen=True)
class Imported:
    """An adapter of another format as one of ours, nothing of it attached yet.

    format: "adapterhub" or "peft". name: what the file calls the adapter.
    tensors: by their key in our own files, the head's excluded.
    head, head_tensors: a head that travels with it, its tensors by our name without `head.`: `0.weight`.
    set_aside: keys of the file that no tensor of ours comes from, each with the reason.
    unexpected: keys of the file that nobody understood.
    filled: our keys of tensors that are not in the file and change nothing (the config covers their place).
    replaced: parameters of the model itself, by path in the whole model, that the file has other values of.
    notes: what a reader should know, one sentence each.
    """

    format: str
    name: str
    config: MethodConfig
    tensors: Mapping[str, Tensor]
    head: HeadSpec | None = None
    head_tensors: Mapping[str, Tensor] = field(default_factory=dict)
    set_aside: Mapping[str, str] = field(default_factory=dict)
    unexpected: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    replaced: Mapping[str, Tensor] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def all_tensors(self) -> dict[str, Tensor]:
        """The tensors with the head's, as a file of ours would hold them."""
        head = {HEAD_PREFIX + name: tensor for name, tensor in self.head_tensors.items()}
        return {**self.tensors, **head}


@dataclass(frozen=True)
class Exportable:
    """An adapter on a model, for an exporter: all by our names, the head's tensors as in `Imported`."""

    name: str
    config: MethodConfig
    tensors: Mapping[str, Tensor]
    atlas: Atlas
    backbone: BackboneRef
    head: HeadSpec | None = None
    head_tensors: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """The files of another format, not written yet.

    documents: file name → JSON object. weights: file name → their key → tensor.
    set_aside: our keys that the files do not hold, each with the reason. notes: one sentence each.
    """

    format: str
    documents: Mapping[str, Mapping[str, object]]
    weights: Mapping[str, Mapping[str, Tensor]]
    set_aside: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def exportable(injection: Injection, head: Head[Any] | None, name: str, backbone: BackboneRef) -> Exportable:
    """An adapter as exporters see it; the tensors are copies."""
    own = dict(head.named_parameters()) if head is not None else {}
    return Exportable(
        name=name,
        config=injection.configs[name],
        tensors={key: value.detach().clone() for key, value in parameters_of(injection, name).items()},
        atlas=injection.atlas,
        backbone=backbone,
        head=head.spec if head is not None else None,
        head_tensors={key: value.detach().clone() for key, value in own.items()},
    )


def parameters_of(injection: Injection, name: str) -> dict[str, Tensor]:
    """An adapter's parameters by their key in our own files, without a head's."""
    found: dict[str, Tensor] = {}
    for key, part in injection.parts(name).items():
        found |= {tensor_key(key, tensor): value for tensor, value in part.named_parameters()}
    for number, shared in injection.shared_parts(name).items():
        found |= {shared_key(number, tensor): value for tensor, value in shared.named_parameters()}
    return found


def problems_of(imported: Imported, atlas: Atlas) -> list[Problem]:
    """What of an imported adapter does not fit a model; no tensor is allocated.

    Raises FamilyError or ConfigError where the method has no place there.
    """
    expected = method_shapes(imported.config, atlas)
    if imported.head is not None:
        expected |= head_shapes(imported.head, atlas.resolved.hidden_size)
    given = imported.all_tensors()
    problems = [
        Problem("missing", key, f"Nothing in the file gives the tensor {key} {list(shape)}.")
        for key, shape in expected.items()
        if key not in given
    ]
    for key, tensor in given.items():
        what = None if tensor.is_floating_point() else f"{tensor.dtype}, not floating point"
        problems += misfits(key, tuple(tensor.shape), expected, what)
    unknown = [
        Problem("unexpected", key, f"The tensor {key!r} of the file has no place in this adapter.")
        for key in imported.unexpected
    ]
    return problems + unknown


def check_imported(imported: Imported, atlas: Atlas, folder: Path, *, strict: bool) -> tuple[Problem, ...]:
    """The problems that loading leaves aside; raises LoadError for any of them with `strict`.

    Without it too where what the file does not hold would be larger than the model.
    """
    problems = problems_of(imported, atlas)
    if problems and (strict or _is_too_large(imported, atlas, problems)):
        raise refuse(folder, problems, is_optional=strict)
    return tuple(problems)


def _is_too_large(imported: Imported, atlas: Atlas, problems: list[Problem]) -> bool:
    expected = method_shapes(imported.config, atlas)
    made = sum(math.prod(expected[p.key]) for p in problems if p.key in expected)
    return made > sum(parameter.numel() for parameter in atlas.model.parameters())


def attach_imported(
    imported: Imported,
    injection: Injection,
    heads: HeadStore,
    name: str,
    like: Tensor,
    problems: tuple[Problem, ...] = (),
) -> LoadReport:
    """Attach an imported adapter and its head under a name, and replace what the file replaces.

    problems: as `check_imported` found them; the tensors they name are left at their starting values.
    Raises LoadError for a parameter to be replaced that is not there, AttachError for what cannot act here;
    then nothing has changed.
    """
    targets = _replaceable(imported, injection)
    injection.attach(name, imported.config, initialise=bool(problems))
    own = parameters_of(injection, name)
    if imported.head is not None:
        try:
            head = heads.add(name, imported.head, like)
        except AdapterLibError:
            injection.remove(name)
            raise
        own |= {HEAD_PREFIX + tensor: value for tensor, value in head.named_parameters()}
    report = _report(imported, name, problems)
    given = imported.all_tensors()
    with torch.no_grad():
        for key in (*report.matched, *report.filled):
            own[key].copy_(given[key])
        for path, target in targets.items():
            target.copy_(imported.replaced[path])
    return report


def _replaceable(imported: Imported, injection: Injection) -> dict[str, Tensor]:
    named = dict(injection.atlas.model.named_parameters()) if imported.replaced else {}
    found: dict[str, Tensor] = {}
    for path, tensor in imported.replaced.items():
        target = named.get(path)
        if target is None or target.shape != tensor.shape:
            raise LoadError(f"The file replaces {path} {list(tensor.shape)}, which this model does not have.")
        found[path] = target
    return found


def _report(imported: Imported, name: str, problems: tuple[Problem, ...]) -> LoadReport:
    def keys(*kinds: str) -> tuple[str, ...]:
        return tuple(problem.key for problem in problems if problem.kind in kinds)

    out = {*keys("unexpected", "wrong_shape", "wrong_dtype"), *imported.filled}
    return LoadReport(
        name=name,
        matched=tuple(key for key in imported.all_tensors() if key not in out),
        missing=keys("missing"),
        unexpected=keys("unexpected"),
        wrong_shape=keys("wrong_shape", "wrong_dtype"),
        format=imported.format,
        set_aside=imported.set_aside,
        filled=tuple(key for key in imported.filled if key not in keys("wrong_shape", "unexpected")),
        replaced=tuple(imported.replaced),
        notes=imported.notes,
    )
