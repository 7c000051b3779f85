"""The Celery application: `celery -A workers.app worker --pool solo -B`.

The pool is `solo`, because each validation is a child of its own anyway, and shares the backbones in this
process's memory.
"""

# ruff: noqa: E402 - Django has to be set up before anything that reads its settings is imported

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hubsite.settings")
# Threads that wait must not spin: beside other work on the same cores that costs a factor of six. Read by
# torch's OpenMP when it is loaded, so it stands here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import django

django.setup()

from pathlib import Path

from celery import Celery, signals
from django.conf import settings

from hubsite.core import task_names
from hubsite.core.queue import configure
from workers.confinement import die_with_parent

REQUEUE_SECONDS = 5.0

app: Celery = configure(Celery("hub", include=["workers.tasks"]))
app.conf.update(
    worker_pool="solo",
    worker_redirect_stdouts=False,
    worker_hijack_root_logger=False,
    # Beat keeps only the time of its last round here; losing it costs nothing.
    beat_schedule_filename=str(Path(settings.DATA_DIR, "beat")),
    beat_schedule={
        "requeue-stale": {
            "task": task_names.REQUEUE_STALE,
            "schedule": REQUEUE_SECONDS,
            # A worker that is busy for minutes needs one round afterwards, not dozens.
            "options": {"expires": REQUEUE_SECONDS - 1},
        }
    },
)


@signals.beat_embedded_init.connect  # type: ignore[untyped-decorator]
def _end_beat_with_worker(**_: object) -> None:
    """A worker that is killed cannot stop its beat process: the kernel does it."""
    die_with_parent()


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def _prepare(**_: object) -> None:
    """Load torch once, with one thread: only so can this process fork children that compute."""
    from workers.checks import load  # noqa: F401 - the import registers all checks and brings torch in
    from workers.loaded import use_one_thread

    use_one_thread()


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _take_up(**_: object) -> None:
    """Finish at once what a killed predecessor left."""
    from workers.maintenance import requeue_stale

    requeue_stale()
