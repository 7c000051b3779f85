"""One validation from claim to verdict."""

import logging
import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from hubsite.validation.services import runs
from hubsite.validation.services.runs import ClaimLost
from workers.examination import Examination, HubFault, Refused, Stopped
from workers.identity import own_name
from workers.recorder import Recorder

logger = logging.getLogger(__name__)


def validate(run_id: uuid.UUID, stopping: Callable[[], bool]) -> None:
    """Carry out a run if it is free; a message about one that is not changes nothing."""
    claim = runs.claim(run_id, own_name())
    if claim is None:
        logger.info("Run %s is not free; nothing to do.", run_id)
        return
    root = Path(settings.DATA_DIR, "runs")
    root.mkdir(parents=True, exist_ok=True)
    for left_behind in root.glob(f"{run_id}-*"):  # by a worker that was killed
        shutil.rmtree(left_behind, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{run_id}-", dir=root, ignore_cleanup_errors=True) as folder:
        try:
            _decide(Examination(Recorder(claim, stopping), Path(folder)))
        except ClaimLost as error:
            logger.warning("%s", error)


def _decide(examination: "Examination") -> None:
    claim = examination.recorder.claim
    try:
        compared = examination.carry_out()
    except Stopped:
        runs.hand_back(claim)
    except Refused:
        runs.finish(claim, passed=False)
    except HubFault as fault:
        logger.error("Run %s: %s %s", claim.run_id, fault.found.code, dict(fault.found.detail))
        runs.retry_later(claim, fault.found)
    else:
        runs.finish(claim, passed=True, compared=compared)
