"""The site's end of the task queue. Messages are wake-ups that carry ids; the rows they name are true."""

import logging
from pathlib import Path

from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

logger = logging.getLogger(__name__)

TRANSPORT_ALIASES["filesystem"] = "hubsite.core.folder_broker:Transport"


def configure(app: Celery) -> Celery:
    """`app` with the hub's broker and rules; the site's producer and the workers' app share this place."""
    app.conf.update(
        broker_url=settings.CELERY_BROKER_URL,
        broker_transport_options=_transport_options(),
        broker_connection_retry_on_startup=True,
        task_ignore_result=settings.CELERY_TASK_IGNORE_RESULT,
        task_acks_late=settings.CELERY_TASK_ACKS_LATE,
        task_reject_on_worker_lost=True,
        task_default_queue="hub",
        worker_prefetch_multiplier=1,
        # Nothing but JSON is ever read from the broker: a message is untrusted input.
        task_serializer="json",
        accept_content=["json"],
        timezone=settings.TIME_ZONE,
        enable_utc=True,
    )
    return app


def enqueue_after_commit(task_name: str, *args: str) -> None:
    """Send a task once the present transaction is committed (at once outside of one).

    A broker that is down is logged, not raised: what the caller wrote stands, and beat sends the task again.
    """
    transaction.on_commit(lambda: _send(task_name, args))


def _send(task_name: str, args: tuple[str, ...]) -> None:
    try:
        producer.send_task(task_name, args=args, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The queue did not take %s%r (%s); beat will send it again.", task_name, args, error)


def _transport_options() -> dict[str, object]:
    if not settings.CELERY_BROKER_URL.startswith("filesystem:"):
        # Longer than any validation, so that Redis does not hand a running one to a second worker.
        return {"visibility_timeout": 4 * settings.VALIDATION_SECONDS, "socket_connect_timeout": 3}
    messages, control = Path(settings.QUEUE_DIR, "messages"), Path(settings.QUEUE_DIR, "control")
    try:
        for folder in (messages, control):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The queue folder {settings.QUEUE_DIR} cannot be made ({error.strerror}); "
            "set HUB_DATA_DIR to a folder that can be written, or REDIS_URL to a Redis server."
        ) from None
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
    }


producer: Celery = configure(Celery("hubsite", set_as_current=False))
# Seconds. A page waits for this while the broker is down.
producer.conf.broker_connection_timeout = 1
