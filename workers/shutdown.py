"""Has this worker been told to stop? A solo worker learns of it only where it asks."""

from celery.worker import state


def stopping() -> bool:
    """True from the first SIGTERM, SIGINT or SIGQUIT on."""
    # Celery keeps an exit code here, and 0 is one.
    return any(
        order is not None and order is not False for order in (state.should_stop, state.should_terminate)
    )
