from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from hubsite.core import checks


def test_the_tests_own_settings_are_sound() -> None:
    assert [message for message in run_checks() if (message.id or "").startswith("hub.")] == []


@pytest.mark.parametrize(
    ("check", "name", "value", "expected"),
    [
        (checks.check_data_dir, "DATA_DIR", Path("/proc/hub"), "hub.E001"),
        (checks.check_broker, "CELERY_BROKER_URL", "amqp://localhost", "hub.E002"),
        (checks.check_bucket, "S3_ENDPOINT_URL", "http://127.0.0.1:9000", "hub.W003"),
        (checks.check_backbone_dir, "BACKBONE_DIR", "/nowhere", "hub.E004"),
    ],
)
def test_a_wrong_setting_is_found_and_says_what_to_do(
    settings: Settings, check: Callable[[None], list[Any]], name: str, value: object, expected: str
) -> None:
    assert check(None) == []
    setattr(settings, name, value)
    (message,) = check(None)
    assert message.id == expected
    assert message.hint
