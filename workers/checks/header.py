"""Step 3: the safetensors header, parsed strictly before anything is allocated for its tensors."""

from adapter_lib.spec.manifest import WEIGHTS_FILE
from adapter_lib.spec.safetensors_header import HeaderError
from hubsite.validation.steps import StepName
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject


def header(subject: Subject, report: Report) -> None:
    """Length, entries, offsets, overlaps and declared against actual bytes."""
    try:
        found = subject.header
    except HeaderError as error:
        report.error(error.code, WEIGHTS_FILE, reason=error.message)
        return
    elements = sum(tensor.elements for tensor in found.tensors)
    types = ", ".join(sorted({tensor.dtype for tensor in found.tensors}))
    report.log(f"{len(found.tensors)} tensors, {elements:,} values ({types})")


register(StepName.HEADER, Phase.BYTES, header)
