"""From the database to a Case: all that the children of one run are told."""

from pathlib import Path

from django.conf import settings

from hubsite.registry.models import Backbone, Card
from hubsite.registry.selectors.trees import entries
from hubsite.validation.models import Baseline, Run, Suite
from workers.backbones import at_hand
from workers.case import BackboneFiles, Case, FileFact, Policy, SuiteFiles
from workers.materialise import copy_files, kept_folder


def brief(run: Run, folder: Path, device: str) -> Case:
    """Put the commit's files into `folder` and gather what is known beside them. Raises StorageError."""
    policy = Policy(settings.MAX_ADAPTER_FILES, settings.MAX_ADAPTER_SIZE)
    files = tuple(FileFact(entry.path, entry.blob.size) for entry in entries(run.commit))
    if len(files) <= policy.max_files and sum(file.size for file in files) <= policy.max_size:
        copy_files(run.commit, folder)
    card = card_of(run)
    suite = suite_for(card)
    return Case(
        folder=folder,
        files=files,
        policy=policy,
        task=card.task.slug if card and card.task else "",
        claimed=_claimed(card, suite),
        backbone=at_hand(card.backbone, card.backbone_revision) if card and card.backbone else None,
        suite=_files_of(suite) if suite else None,
        device=device,
    )


def card_of(run: Run) -> Card | None:
    """What the commit says of itself, as the registry understood it."""
    return Card.objects.select_related("task", "backbone__repo__namespace").filter(commit=run.commit).first()


def suite_for(card: Card | None) -> Suite | None:
    """The current suite of the card's task."""
    if card is None or card.task is None:
        return None
    return (
        Suite.objects.filter(task=card.task, current=True).select_related("commit").order_by("slug").first()
    )


def baselines_of(suite: Suite, backbone: Backbone, files: BackboneFiles) -> dict[str, Baseline]:
    """The known baselines of a suite on these bytes of a backbone, by kind."""
    known = Baseline.objects.filter(suite=suite, backbone=backbone, backbone_sha=files.revision)
    return {baseline.kind: baseline for baseline in known}


def _files_of(suite: Suite) -> SuiteFiles:
    folder = kept_folder(suite.commit, Path(settings.DATA_DIR, "suites"), lambda path: "/" not in path)
    return SuiteFiles(str(suite), folder)


def _claimed(card: Card | None, suite: Suite | None) -> float | None:
    """The author's own number for the suite's metric, if it is a fraction."""
    if card is None or suite is None:
        return None
    for claim in card.claims:
        value = claim.get("value")
        if claim.get("metric") == suite.metric and isinstance(value, int | float) and 0 <= value <= 1:
            return float(value)
    return None
