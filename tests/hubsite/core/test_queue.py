import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from celery import Celery
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from pytest_django import Settings

from hubsite.core import task_names
from hubsite.core.queue import configure, enqueue_after_commit, producer


def waiting() -> int:
    """How many messages are in the queue."""
    with producer.connection_for_read() as connection:
        return int(connection.default_channel.queue_declare("hub").message_count)


def take_all(count: int) -> list[str]:
    """The run ids of `count` messages, taken as a worker takes them."""
    found = []
    app = configure(Celery("consumer", set_as_current=False))
    with app.connection_for_read() as connection:
        queue = app.amqp.queues["hub"].bind(connection.default_channel)
        queue.declare()
        for _ in range(count):
            message = queue.get(no_ack=True)
            assert message is not None
            found.append(message.payload[0][0])
        assert queue.get(no_ack=True) is None
    return found


@pytest.mark.django_db(transaction=True)
def test_a_task_leaves_when_the_transaction_is_committed() -> None:
    with transaction.atomic():
        enqueue_after_commit(task_names.VALIDATE, "run-1")
        assert waiting() == 0
    assert waiting() == 1
    assert take_all(1) == ["run-1"]
    assert waiting() == 0


@pytest.mark.django_db(transaction=True)
def test_a_task_of_a_transaction_that_failed_never_leaves() -> None:
    with transaction.atomic():
        enqueue_after_commit(task_names.VALIDATE, "run-1")
        transaction.set_rollback(True)
    assert waiting() == 0


@pytest.mark.django_db(transaction=True)
def test_tasks_come_in_the_order_in_which_they_left() -> None:
    runs = [f"run-{number}" for number in range(20)]
    for run in runs:
        enqueue_after_commit(task_names.VALIDATE, run)
    assert take_all(20) == runs


@pytest.mark.parametrize("broker", ["", "redis://127.0.0.1:9/0"])
def test_a_broker_that_is_down_is_logged_and_not_raised(broker: str, tmp_path: Path) -> None:
    """In a process of its own, whose queue folder goes away, or whose Redis was never there."""
    program = (
        "import django, shutil; django.setup()\n"
        "from django.conf import settings\n"
        "from hubsite.core.queue import enqueue_after_commit\n"
        "shutil.rmtree(settings.QUEUE_DIR, ignore_errors=True)\n"
        "enqueue_after_commit('hub.validate', 'run-1')\n"
        "print('went on')\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "hubsite.settings",
        "HUB_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
        "REDIS_URL": broker,
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "went on\n"
    assert "The queue did not take hub.validate('run-1',)" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_consumers_share_the_messages() -> None:
    for number in range(100):
        producer.send_task(task_names.VALIDATE, args=(str(number),))
    found: list[list[str]] = [[], []]

    def consume(mine: list[str]) -> None:
        app = configure(Celery("consumer", set_as_current=False))
        with app.connection_for_read() as connection:
            queue = app.amqp.queues["hub"].bind(connection.default_channel)
            queue.declare()
            while message := queue.get(no_ack=True):
                mine.append(message.payload[0][0])

    threads = [threading.Thread(target=consume, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found[0] + found[1], key=int) == [str(number) for number in range(100)]


def test_only_json_is_read_from_the_broker() -> None:
    assert producer.conf.accept_content == ["json"]
    assert producer.conf.task_serializer == "json"
    assert producer.conf.task_acks_late


def test_redis_if_it_is_named(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    app = configure(Celery("redis", set_as_current=False))
    assert app.conf.broker_url == "redis://127.0.0.1:9/0"
    assert app.conf.broker_transport_options["visibility_timeout"] > settings.VALIDATION_SECONDS


def test_a_queue_folder_that_cannot_be_made_is_one_sentence(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.QUEUE_DIR = tmp_path / "file" / "queue"
    with pytest.raises(ImproperlyConfigured, match="cannot be made"):
        configure(Celery("nowhere", set_as_current=False))
