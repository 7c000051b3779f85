"""System checks of the hub as a whole: wrong settings are found at start, each with an id and a remedy."""

import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning


def check_data_dir(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """hub.E001: the data folder can be made and written."""
    folder = Path(settings.DATA_DIR)
    probe = folder / f".probe-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return [
            Error(
                f"The data folder {folder} cannot be written ({error.strerror}).",
                hint="Set HUB_DATA_DIR (or --data-dir) to a folder that this user can write.",
                id="hub.E001",
            )
        ]
    return []


def check_broker(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """hub.E002: the queue is Redis or the folder."""
    scheme = settings.CELERY_BROKER_URL.partition(":")[0]
    if scheme in {"filesystem", "redis", "rediss", "unix", "redis+socket"}:
        return []
    return [
        Error(
            f"REDIS_URL starts with {scheme!r}, which is no Redis address.",
            hint="Write redis://host:port/0, or unset it to use a folder as the queue.",
            id="hub.E002",
        )
    ]


def check_bucket(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """hub.W003: an S3 endpoint alone does nothing."""
    if settings.S3_ENDPOINT_URL and not settings.S3_BUCKET:
        return [
            Warning(
                "HUB_S3_ENDPOINT_URL is set, but no bucket is named; blobs go to the local folder.",
                hint="Set HUB_S3_BUCKET, or unset HUB_S3_ENDPOINT_URL.",
                id="hub.W003",
            )
        ]
    return []


def check_backbone_dir(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """hub.E004: a named folder of backbones exists."""
    folder = settings.BACKBONE_DIR
    if folder and not os.path.isdir(folder):
        return [
            Error(
                f"HUB_BACKBONE_DIR names {folder}, which is no folder.",
                hint="Point it to a folder with one subfolder per namespace/name, or unset it.",
                id="hub.E004",
            )
        ]
    return []
