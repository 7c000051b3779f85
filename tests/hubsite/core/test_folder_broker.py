from pathlib import Path

import pytest
from celery import Celery
from pytest_django import Settings

from hubsite.core.queue import configure


@pytest.fixture
def app(settings: Settings, tmp_path: Path) -> Celery:
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.QUEUE_DIR = tmp_path / "queue"
    return configure(Celery("folder", set_as_current=False))


def test_a_message_appears_whole_and_goes_for_good(app: Celery, tmp_path: Path) -> None:
    folder = tmp_path / "queue" / "messages"
    app.send_task("some.task", args=("1",))
    (file,) = folder.iterdir()
    assert file.name.endswith(".hub.msg")
    # What a sender has not finished yet, or another consumer has taken, is not ours.
    (folder / "00000000000000000000_x.unfinished").write_text("{")
    (folder / f"{file.name}.taken-x").write_text("{")
    with app.connection_for_read() as connection:
        queue = app.amqp.queues["hub"].bind(connection.default_channel)
        message = queue.get(no_ack=True)
        assert message is not None
        assert message.payload[0] == ["1"]
        assert queue.get(no_ack=True) is None
    assert not file.exists()


def test_queues_do_not_mix(app: Celery) -> None:
    app.send_task("some.task", queue="other")
    with app.connection_for_read() as connection:
        assert app.amqp.queues["hub"].bind(connection.default_channel).get(no_ack=True) is None
