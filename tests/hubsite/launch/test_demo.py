"""The demo's preparation, with a script in place of the training: what it is given, and what remains."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from hubsite.accounts.models import Token
from hubsite.launch import demo
from hubsite.launch.backbone.recipes import MINILM
from hubsite.launch.backbone.store import store
from hubsite.validation.models import Suite
from tests.hubsite.launch.backbone.made import recipe, write_folder

SUITE = Path(__file__).resolve().parents[3] / "examples" / "sentiment" / "suite"
TELL = """
import json, os, pathlib
pathlib.Path(__file__).with_name("told").write_text(json.dumps(dict(os.environ)))
"""
URL = "http://127.0.0.1:8999"

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A check-out whose example tells its environment instead of training."""
    example = tmp_path / "root" / "examples" / "sentiment"
    shutil.copytree(SUITE, example / "suite")
    (example / "train_and_publish.py").write_text(TELL)
    store(recipe(MINILM.name), write_folder(tmp_path / "backbone"))
    return tmp_path / "root"


def _told(root: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((root / "examples" / "sentiment" / "told").read_text())
    return found


def test_prepares_every_part_once_and_says_how_long_each_took(root: Path, tmp_path: Path) -> None:
    said: list[str] = []
    assert not demo.is_prepared(tmp_path)
    demo.prepare(root, tmp_path, URL, None, said.append)
    assert demo.is_prepared(tmp_path)
    assert Suite.objects.get().slug == "sentiment-sentences"
    assert [re.sub(r"\d+\.\d", "0.0", line).strip() for line in said] == [
        "0.0 s  the backbone",
        "0.0 s  the evaluation set",
        "The demo is ready after 0.0 s.",
    ]
    demo.prepare(root, tmp_path, URL, None, said.append)
    assert Suite.objects.count() == 1


def test_the_script_gets_the_hub_and_a_token_that_ends_with_it(root: Path, tmp_path: Path) -> None:
    demo.prepare(root, tmp_path, URL, None, lambda line: None)
    told = _told(root)
    assert told["ADAPTER_HUB_ENDPOINT"] == URL
    assert told["ADAPTER_HUB_TOKEN"].startswith("ahub_")
    assert told["ADAPTER_HUB_TOKEN"] not in os.environ.values()
    token = Token.objects.get()
    assert token.user.username == "demo"
    assert token.revoked_at is not None
    assert token.expires_at is not None


def test_a_script_that_fails_leaves_the_demo_to_the_next_start(root: Path, tmp_path: Path) -> None:
    (root / "examples" / "sentiment" / "train_and_publish.py").write_text("raise SystemExit(1)")
    with pytest.raises(demo.DemoFailed, match="the next start tries again"):
        demo.prepare(root, tmp_path, URL, None, lambda line: None)
    assert not demo.is_prepared(tmp_path)


def test_the_command_says_in_a_sentence_why_there_is_no_backbone(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"has no file config\.json"):
        call_command("prepare_demo", url=URL, backbone=tmp_path)
