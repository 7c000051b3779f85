"""docs/quick-start.md runs from its first line to its last over a real hub, with a tiny model as backbone.

What stands behind `# →` is what the line prints.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel

import adapter_lib
from adapter_lib import Fuse
from hubsite.validation.models import Run
from tests.adapter_lib.hub.conftest import (
    BACKBONE,
    WORDS,
    HubWithBackbone,
    _clean_slate,
    _tokenizer,
    alice,
    bob,
    cache,
    hub,
)
from tests.adapter_lib.hub.test_against_hub import validate
from tests.docs.markers import DOCS
from tests.docs.reading import code_of

__all__ = ["_clean_slate", "alice", "bob", "cache", "hub"]

PAGE = DOCS / "quick-start.md"
REAL = "sentence-transformers/all-MiniLM-L6-v2"
_SHOWN = re.compile(r"^print\(.*\)  # → (.*)$", re.MULTILINE)


@pytest.fixture(scope="session")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT whose states tell words apart, so that sixteen sentences are enough to learn from."""
    folder = tmp_path_factory.mktemp("quick") / "bert"
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "hidden_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 256,
    }
    BertModel(BertConfig(vocab_size=len(WORDS), initializer_range=0.05, **sizes)).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


def prepared(code: str, folder: Path) -> str:
    """The page's code where the backbone is a folder, which the hub has under a name of alice's."""
    code = code.replace(REAL, str(folder)).replace("me/mood", "alice/mood")
    return code.replace('task="sentiment",', f'task="sentiment", backbone="{BACKBONE}",')


def publish(code: str, namespace: dict[str, Any]) -> None:
    """Run the block that publishes and waits, and do in the meantime what the workers do."""
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(run, code, namespace)
        while not (waiting.done() or Run.objects.exists()):
            sleep(0.02)
        if not waiting.done():
            validate(Run.objects.get().commit.sha)
        waiting.result(timeout=60)


def run(code: str, namespace: dict[str, Any]) -> None:
    exec(compile(code, PAGE.name, "exec"), namespace)  # noqa: S102


def test_its_code_runs_and_prints_what_it_says(
    hub: HubWithBackbone,
    backbone_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADAPTER_HUB_TOKEN", hub.token)
    namespace: dict[str, Any] = {}
    generator = torch.get_rng_state()
    said = 0
    try:
        for block in code_of(PAGE):
            code = prepared(block, backbone_folder)
            (publish if "adapter_lib.publish(" in code else run)(code, namespace)
            printed = capsys.readouterr().out
            for shown in _SHOWN.findall(code):
                assert f"{shown}\n" in printed
                said += 1
    finally:
        torch.set_rng_state(generator)
    assert said == 6
    assert {path.name for path in (tmp_path / "adapters" / "mood").iterdir()} == {
        "adapter_config.json",
        "adapter.safetensors",
    }


def test_its_table_is_that_of_a_model_of_the_backbone_s_size() -> None:
    sizes: dict[str, Any] = {
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 1536,
    }
    model: Any = adapter_lib.init(BertModel(BertConfig(**sizes)))
    for name, config in {"mood": "lora[r=8]", "second": "seq_bn"}.items():
        model.add_adapter(name, config)
        model.add_classification_head(name, labels=["negative", "positive"])
    model.add_adapter_fusion(["mood", "second"])
    model.train_adapter_fusion(Fuse("mood", "second"))
    (shown,) = re.findall(r"```text\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert str(model.adapter_summary()) == shown
