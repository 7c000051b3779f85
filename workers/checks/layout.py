"""Step 1: is it the folder of an adapter, and is it of a size that the hub takes?"""

import re

from adapter_lib.spec.card import CARD_FILE
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE
from adapter_lib.spec.manifest import MAX_BYTES as MAX_CONFIG_BYTES
from hubsite.validation.steps import StepName
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject

MAX_DEPTH = 3
MAX_CARD_BYTES = 500_000
# What every file system and archive can hold; git's own files are allowed.
_NAME = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+() -]{0,199}")


def layout(subject: Subject, report: Report) -> None:
    """Number, sizes, depth and names of the files; the two that make an adapter must be there."""
    files = subject.case.files
    total = sum(file.size for file in files)
    report.log(f"{len(files)} files, {total:,} bytes")
    if not files:
        report.error("layout.no_files")
        return
    policy = subject.case.policy
    if len(files) > policy.max_files:
        report.error("layout.too_many_files", count=len(files), limit=policy.max_files)
    if total > policy.max_size:
        report.error("layout.too_large", size=total, limit=policy.max_size)
    for path, limit in ((CONFIG_FILE, MAX_CONFIG_BYTES), (CARD_FILE, MAX_CARD_BYTES)):
        for file in files:
            if file.path == path and file.size > limit:
                report.error("layout.file_too_large", path, size=file.size, limit=limit)
    _check_names(subject, report)
    if not subject.has(CONFIG_FILE):
        report.error("layout.no_config")
    if not subject.has(WEIGHTS_FILE):
        report.error("layout.no_weights")


def _check_names(subject: Subject, report: Report) -> None:
    for file in subject.case.files:
        parts = file.path.split("/")
        if len(parts) > MAX_DEPTH:
            report.error("layout.too_deep", file.path, depth=len(parts) - 1, limit=MAX_DEPTH - 1)
        if not all(_NAME.fullmatch(part) for part in parts):
            report.error("layout.bad_name", file.path)


register(StepName.LAYOUT, Phase.BYTES, layout)
