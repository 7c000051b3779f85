"""Step 4: adapter_config.json, parsed strictly and held against the backbone it names."""

from adapter_lib.formats.expected import backbone_facts
from adapter_lib.spec.errors import FamilyError
from adapter_lib.spec.manifest import CONFIG_FILE, Manifest, ManifestError
from hubsite.validation.steps import StepName
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject


def config(subject: Subject, report: Report) -> None:
    """The manifest itself, then type, width and depth of its backbone."""
    try:
        manifest = subject.manifest
    except ManifestError as error:
        report.error(error.code, CONFIG_FILE, reason=error.message)
        return
    backbone = manifest.backbone
    report.log(f"{manifest.config.name()} on {backbone.id or 'an unnamed backbone'} ({backbone.model_type})")
    if not backbone.id and subject.case.backbone is None:
        report.error("config.no_backbone", CONFIG_FILE)
    elif subject.case.backbone is None:
        report.log("The backbone is not at hand yet; it is compared when it is loaded.")
    else:
        _compare(manifest, subject, report)


def _compare(manifest: Manifest, subject: Subject, report: Report) -> None:
    """The manifest's word on its backbone against the backbone's own config."""
    try:
        facts = backbone_facts(manifest, subject.places)
    except FamilyError as error:
        report.error("config.family", CONFIG_FILE, reason=str(error))
        return
    for field, said, found in facts:
        # The tensors are still looked at: their shapes say more.
        report.error(
            "config.backbone_mismatch",
            CONFIG_FILE,
            final=False,
            field=field,
            declared=said,
            actual=found,
            backbone=manifest.backbone.id,
        )


register(StepName.CONFIG, Phase.BYTES, config)
