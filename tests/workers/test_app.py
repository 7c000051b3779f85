"""The Celery application: what it is called by, and what a process has to load for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from hubsite.core import task_names
from workers.app import REQUEUE_SECONDS, app

ROOT = Path(__file__).parents[2]


def test_the_tasks_have_the_names_the_site_sends() -> None:
    app.loader.import_default_modules()
    assert {task_names.VALIDATE, task_names.REQUEUE_STALE} <= set(app.tasks)


def test_tasks_are_acknowledged_after_the_work() -> None:
    app.loader.import_default_modules()
    assert all(app.tasks[name].acks_late for name in (task_names.VALIDATE, task_names.REQUEUE_STALE))


def test_rounds_that_a_busy_worker_missed_are_dropped() -> None:
    (entry,) = app.conf.beat_schedule.values()
    assert entry["task"] == task_names.REQUEUE_STALE
    assert entry["options"]["expires"] < entry["schedule"] == REQUEUE_SECONDS


@pytest.mark.parametrize("module", ["workers.app", "workers.tasks"])
def test_beat_needs_no_torch(module: str) -> None:
    code = f"import workers.app, {module}, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
