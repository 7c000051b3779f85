"""`python -m tests.workers.world FOLDER`: a hub with a backbone, a suite and an upload that waits.

Prints the id of the upload's run. HUB_DATA_DIR says where the hub lives; FOLDER is for files on the way.
"""

# ruff: noqa: E402 - Django has to be set up before models are imported

import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hubsite.settings")

import django

django.setup()

from django.core.management import call_command

from tests.hubsite import factories
from tests.workers import tiny


def prepare(work: Path) -> str:
    """Set up the hub and commit an adapter."""
    call_command("migrate", verbosity=0)
    alice, bob = factories.make_user("alice"), factories.make_user("bob")
    for name in ("backbone", "adapter"):
        (work / name).mkdir()
    backbone = tiny.save_backbone(work / "backbone", width=32)
    tiny.publish_backbone(alice, backbone)
    tiny.publish_suite(alice, work / "suite", rows=2000)
    run = tiny.upload(bob, tiny.files_of(tiny.save_adapter(backbone, work / "adapter")))
    return str(run.id)


if __name__ == "__main__":
    print(prepare(Path(sys.argv[1])))
