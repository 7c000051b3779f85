"""Tiny backbones with tokenizers."""

from pathlib import Path

import pytest

from tests.adapter_lib.text_backbones import bert_backbone, gpt2_backbone, t5_backbone


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder."""
    return bert_backbone(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder."""
    return gpt2_backbone(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="session")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder-decoder."""
    return t5_backbone(tmp_path_factory.mktemp("t5"))
