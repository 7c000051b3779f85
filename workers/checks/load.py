"""Step 6: adapter_lib attaches the adapter to its backbone, the way every user will."""

from typing import Any

import adapter_lib
from adapter_lib.spec.errors import AdapterLibError
from hubsite.validation.steps import StepName
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject

NAME = "under_test"


def load(subject: Subject, report: Report) -> None:
    """Load what fits, and count what does not."""
    model: Any = subject.backbone.model
    try:
        found = adapter_lib.init(model).load_adapter(subject.case.folder, name=NAME, strict=False)
    except AdapterLibError as error:
        report.error("load.refused", reason=str(error))
        return
    report.log(str(found))
    if found.other_backbone:
        report.warning("load.other_backbone", reason=found.other_backbone)
    if found.missing or found.unexpected or found.wrong_shape:
        report.error(
            "load.incomplete",
            missing=len(found.missing),
            unexpected=len(found.unexpected),
            wrong_shape=len(found.wrong_shape),
        )


register(StepName.LOAD, Phase.MODEL, load)
