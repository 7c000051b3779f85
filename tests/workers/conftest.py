"""The cast of the site's tests and a tiny model world for the workers' tests."""

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.hubsite.conftest import alice, bob
from tests.workers import tiny

__all__ = ["alice", "bob"]


@pytest.fixture(autouse=True)
def _own_data(settings: Settings, tmp_path: Path) -> None:
    """Each test has its own blobs and materialises into its own folder."""
    settings.DATA_DIR = tmp_path / "data"
    settings.BLOB_DIR = tmp_path / "blobs"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of width 32 with random weights and a tokenizer of a few words."""
    return tiny.save_backbone(tmp_path_factory.mktemp("backbone"), width=32)


@pytest.fixture(scope="session")
def adapter_folder(backbone_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA with a head for two labels on that BERT, random but not without effect."""
    return tiny.save_adapter(backbone_folder, tmp_path_factory.mktemp("adapter"))
