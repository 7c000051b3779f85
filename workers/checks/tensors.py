"""Step 5: the tensors themselves. Values are read in place; nothing is loaded as a model."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapter_lib.formats.expected import FLOAT_DTYPES, SHARED, Shape, expected_shapes
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.errors import AdapterLibError
from adapter_lib.spec.manifest import HEAD_PREFIX, WEIGHTS_FILE
from adapter_lib.spec.safetensors_header import Header, TensorInfo
from hubsite.validation.steps import StepName
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject

# Findings of one kind that are told singly; their number is told in any case.
MOST_TOLD = 5
_CHUNK = 1024**2
_TYPES: Mapping[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "BF16": np.dtype("<u2"),
}
# bfloat16 has no numpy type: all exponent bits are set in infinity and NaN, and at most the sign in a zero.
_BF16_EXPONENT, _BF16_MAGNITUDE = 0x7F80, 0x7FFF


def tensors(subject: Subject, report: Report) -> None:
    """Types, NaN and infinity, no effect at all; then keys and shapes against the backbone."""
    header = subject.header
    if not any(not tensor.name.startswith(HEAD_PREFIX) for tensor in header.tensors):
        report.error("tensors.empty", WEIGHTS_FILE, method=subject.manifest.config.name())
        return
    zeros = _check_values(header, subject.path(WEIGHTS_FILE), report)
    _check_effect(subject.manifest.config, zeros, report)
    _check_shapes(subject, report)


def _check_values(header: Header, path: Path, report: Report) -> dict[str, bool]:
    """Report bad types and values; returns for every readable tensor whether it is all zero."""
    zeros = {}
    for tensor in header.tensors:
        if tensor.dtype not in FLOAT_DTYPES:
            report.error("tensors.bad_dtype", WEIGHTS_FILE, tensor=tensor.name, dtype=tensor.dtype)
            continue
        wrong, all_zero = _count(tensor, header.data_start, path)
        if wrong:
            report.error("tensors.not_finite", WEIGHTS_FILE, tensor=tensor.name, count=wrong)
        zeros[tensor.name] = all_zero
    return zeros


def _count(tensor: TensorInfo, data_start: int, path: Path) -> tuple[int, bool]:
    """(values that are NaN or infinite, whether all are zero)."""
    wrong, all_zero = 0, True
    for values in _chunks(tensor, data_start, path):
        if tensor.dtype == "BF16":
            wrong += int(np.count_nonzero((values & _BF16_EXPONENT) == _BF16_EXPONENT))
            all_zero = all_zero and not np.any(values & _BF16_MAGNITUDE)
        else:
            wrong += int(np.count_nonzero(~np.isfinite(values)))
            all_zero = all_zero and not np.any(values)
    return wrong, all_zero


def _chunks(tensor: TensorInfo, data_start: int, path: Path) -> Iterator[NDArray[Any]]:
    if tensor.elements == 0:
        return
    values = np.memmap(
        path, dtype=_TYPES[tensor.dtype], mode="r", offset=data_start + tensor.begin, shape=(tensor.elements,)
    )
    for begin in range(0, tensor.elements, _CHUNK):
        yield values[begin : begin + _CHUNK]


def _check_effect(config: MethodConfig, zeros: Mapping[str, bool], report: Report) -> None:
    """Refuse an adapter that cannot have an effect: the tensors that decide are zero, or all are."""
    names = set(config.decisive())
    own = [name for name in zeros if not name.startswith(HEAD_PREFIX)]
    places = [name for name in own if not name.startswith(f"{SHARED}.")]
    decisive = [name for name in places if name.rpartition(".")[2] in names] if names else own
    if decisive and all(zeros[name] for name in decisive):
        named = f"every {' and '.join(sorted(names))} tensor" if names else "every tensor"
        report.error("tensors.no_effect", WEIGHTS_FILE, tensor=named, count=len(decisive))


def _check_shapes(subject: Subject, report: Report) -> None:
    if not subject.backbone_config:
        report.note("tensors.unchecked", reason="the backbone is not at hand yet; loading it will tell.")
        return
    try:
        expected = expected_shapes(subject.manifest, subject.places)
    except AdapterLibError as error:
        report.error("load.refused", reason=str(error))
        return
    found = {tensor.name: tensor.shape for tensor in subject.header.tensors}
    backbone = subject.case.backbone.name if subject.case.backbone else ""
    _compare(expected, found, backbone, report)


def _compare(
    expected: Mapping[str, Shape], found: Mapping[str, Shape], backbone: str, report: Report
) -> None:
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    wrong = [name for name in found if name in expected and tuple(found[name]) != tuple(expected[name])]
    # The method's own tensors say more about the backbone than the head's.
    wrong.sort(key=lambda name: name.startswith(HEAD_PREFIX))
    for name in wrong[:MOST_TOLD]:
        report.error(
            "tensors.wrong_shape",
            WEIGHTS_FILE,
            tensor=name,
            actual=_words(found[name]),
            expected=_words(expected[name]),
            backbone=backbone,
        )
    if missing:
        report.error("tensors.missing", WEIGHTS_FILE, count=len(missing), tensor=missing[0])
    if unexpected:
        report.error("tensors.unexpected", WEIGHTS_FILE, count=len(unexpected), tensor=unexpected[0])
    matched = len(found) - len(unexpected) - len(wrong)
    report.log(
        f"{matched} matched, {len(missing)} missing, {len(unexpected)} unexpected, {len(wrong)} misshapen"
    )


def _words(shape: Shape) -> str:
    return " × ".join(str(size) for size in shape) or "a single value"


register(StepName.TENSORS, Phase.BYTES, tensors)
