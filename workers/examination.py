"""One run under way: the worker's half, which reads no stranger's bytes and decides everything."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

from django.conf import settings

from hubsite.core.errors import StorageError
from hubsite.validation.choices import BaselineKind, Severity
from hubsite.validation.models import Run
from hubsite.validation.reports import Detail, Found
from hubsite.validation.services import baselines, runs
from hubsite.validation.services.scores import Compared
from hubsite.validation.steps import StepName
from workers import backbones, loaded, pipeline
from workers.briefing import baselines_of, brief, card_of, suite_for
from workers.case import BackboneFiles, Case
from workers.confinement import Limits
from workers.events import BadEventError
from workers.heartbeat import beating
from workers.proving import prove
from workers.recorder import Recorder
from workers.sandbox import End, Ending, Job, supervise


class Stopped(Exception):  # noqa: N818 - an order, not an error
    """The worker is to stop; the run goes back to the queue."""


class Refused(Exception):  # noqa: N818 - a verdict, not an error
    """The commit does not pass; its findings are written."""


class HubFault(Exception):  # noqa: N818 - carries a finding
    """The hub itself cannot go on; the run is tried again later."""

    def __init__(self, found: Found) -> None:
        super().__init__(found.code)
        self.found = found


class Examination:
    """One run under way, in a private folder that is removed afterwards."""

    def __init__(self, recorder: Recorder, folder: Path) -> None:
        self.recorder = recorder
        self.run = Run.objects.select_related("commit__repo__namespace").get(id=recorder.claim.run_id)
        self.device = loaded.device()
        self._files, self._work = folder / "files", folder / "work"
        self._deadline = time.monotonic() + settings.VALIDATION_SECONDS
        for one in (self._files, self._work):
            one.mkdir()

    def carry_out(self) -> list[Compared]:
        """All steps but the last; returns what was measured. Raises Stopped, Refused or HubFault."""
        case = self.brief()
        self.phase(pipeline.run_bytes_phase, case, "fork")
        case = self._with_backbone(case)
        self.phase(pipeline.run_model_phase, case, "fork" if self.device == "cpu" else "spawn")
        return self._compared(case)

    def brief(self) -> Case:
        """What the children are told. Raises HubFault where the blob store fails."""
        try:
            with beating(self.recorder.claim):
                return brief(self.run, self._files, self.device)
        except (StorageError, OSError) as error:
            raise self._fault(StepName.LAYOUT, "hub.storage", reason=str(error)) from error

    def phase(self, job: Job, case: Case, start: Literal["fork", "spawn"]) -> None:
        """Run a child to its end and judge it. Raises Stopped, Refused or HubFault."""
        seconds = max(self._deadline - time.monotonic(), 1.0)
        limits = Limits(seconds, settings.VALIDATION_MEMORY)
        try:
            ending = supervise(
                job, case, folder=self._work, limits=limits, watch=self.recorder.watch(), start=start
            )
        except BadEventError as error:
            ending = Ending(End.CRASH, f"it said what no check says: {error}")
        self._judge(ending)

    def _judge(self, ending: Ending) -> None:
        recorder = self.recorder
        if ending.end == End.STOPPED:
            raise Stopped
        if ending.end != End.DONE and ending.output.strip():
            runs.append_log(recorder.claim, recorder.step, ending.output.strip())
        if ending.end == End.FAULT:
            raise self._fault(recorder.step, "hub.internal")
        if ending.end == End.DONE and recorder.open:
            ending = Ending(End.CRASH, "it ended before its step did")
        self._refuse_if_ended_early(ending)
        if recorder.hub_fault is not None:
            raise HubFault(recorder.hub_fault)
        if recorder.failed:
            raise Refused

    def _refuse_if_ended_early(self, ending: Ending) -> None:
        details: dict[End, tuple[str, Detail]] = {
            End.TIMEOUT: ("run.timeout", {"seconds": settings.VALIDATION_SECONDS}),
            End.MEMORY: ("run.memory", {"limit": settings.VALIDATION_MEMORY}),
            End.CRASH: ("run.crash", {"signal": ending.reason}),
        }
        if ending.end in details:
            code, detail = details[ending.end]
            self.recorder.find(Found(self.recorder.step, code, Severity.ERROR, "", detail))
            raise Refused

    def _with_backbone(self, case: Case) -> Case:
        """The case with its backbone found, tried and in memory."""
        recorder = self.recorder
        recorder.begin(StepName.LOAD)
        began = time.monotonic()
        files = case.backbone or self._from_upstream()
        name = files.name
        try:
            if files.folder.is_relative_to(settings.DATA_DIR) and not prove(
                files, self._work, recorder.watch()
            ):
                raise Stopped
            if self.device == "cpu":
                self._make_resident(files)
        except (backbones.BackboneUnavailable, OSError, ValueError) as error:
            reason = str(error)[:500]
            raise self._fault(
                StepName.LOAD, "hub.backbone_unavailable", backbone=name, reason=reason
            ) from error
        runs.append_log(
            recorder.claim,
            StepName.LOAD,
            f"{name} from {files.source}, ready in {time.monotonic() - began:.1f} s",
        )
        return replace(case, backbone=files, needs_baselines=self._needs_baselines(files))

    def _make_resident(self, files: BackboneFiles) -> None:
        if not loaded.is_resident(files, self.device):
            with beating(self.recorder.claim):
                loaded.resident(files, self.device)

    def _from_upstream(self) -> BackboneFiles:
        card = card_of(self.run)
        if card is None or card.backbone is None:
            raise self._fault(StepName.LOAD, "hub.internal")
        name = card.backbone.name
        try:
            return backbones.from_upstream(
                card.backbone, card.backbone_revision, self._work, self.recorder.watch()
            )
        except backbones.BackboneMissing:
            self.recorder.find(
                Found(StepName.LOAD, "config.backbone_unknown", Severity.ERROR, "", {"backbone": name})
            )
            raise Refused from None
        except backbones.BackboneUnavailable as error:
            if self.recorder.stopping():
                raise Stopped from None
            raise self._fault(
                StepName.LOAD, "hub.backbone_unavailable", backbone=name, reason=str(error)
            ) from None

    def _needs_baselines(self, files: BackboneFiles) -> bool:
        card = card_of(self.run)
        suite = suite_for(card)
        if card is None or card.backbone is None or suite is None:
            return False
        return len(baselines_of(suite, card.backbone, files)) < len(BaselineKind)

    def _compared(self, case: Case) -> list[Compared]:
        card = card_of(self.run)
        suite = suite_for(card)
        measured = self.recorder.measured
        if (
            measured is None
            or suite is None
            or card is None
            or card.backbone is None
            or case.backbone is None
        ):
            return []
        for one in self.recorder.baselines:
            baselines.store(suite, card.backbone, case.backbone.revision, one)
        known = baselines_of(suite, card.backbone, case.backbone)
        if len(known) < len(BaselineKind):
            raise self._fault(StepName.EVALUATE, "hub.internal")
        majority, probe = known[BaselineKind.MAJORITY], known[BaselineKind.PROBE]
        return [Compared(suite, measured, majority, probe, case.claimed)]

    def _fault(self, step: StepName, code: str, **detail: str) -> HubFault:
        return HubFault(Found(step, code, Severity.ERROR, "", detail))
