"""Names of the Celery tasks, so that the site can send them without importing the workers."""

from typing import Final

# Argument: the run's id as text.
VALIDATE: Final = "hub.validate"
# No argument; sent by beat.
REQUEUE_STALE: Final = "hub.requeue_stale"
