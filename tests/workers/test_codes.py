"""Sentences and checks know the same codes."""

import re
from pathlib import Path

from hubsite.validation.sentences import SENTENCES

ROOT = Path(__file__).parents[2]
GROUPS = {code.partition(".")[0] for code in SENTENCES}


def written_in(*folders: str) -> set[str]:
    """All texts like `"tensors.missing"` in the sources."""
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    texts = {text for path in sources for text in re.findall(r'"([a-z]+\.[a-z_]+)"', path.read_text())}
    return {
        text for text in texts if text.partition(".")[0] in GROUPS and not text.endswith((".json", ".py"))
    }


def test_every_code_has_a_sentence() -> None:
    assert written_in("workers", "hubsite/validation/services") - set(SENTENCES) == set()
    parsers = {code for code in written_in("adapter_lib/spec") if code.startswith(("header.", "manifest."))}
    assert parsers - set(SENTENCES) == set()


def test_every_sentence_has_a_check_that_says_it() -> None:
    said = written_in("workers", "hubsite/validation/services", "adapter_lib/spec")
    # The manifest's reader puts some of its codes together.
    put_together = {code for code in SENTENCES if code.startswith("manifest.")}
    assert set(SENTENCES) - said - put_together == set()
