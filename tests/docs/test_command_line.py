"""docs/command-line.md names every command and option there is and no other, and its blocks run."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from adapter_lib.cli.app import app
from tests.adapter_lib.cli.running import call
from tests.adapter_lib.hub.conftest import (
    BACKBONE,
    HubWithBackbone,
    _clean_slate,
    alice,
    backbone_folder,
    bob,
    cache,
    hub,
)
from tests.adapter_lib.hub.test_against_hub import validate
from tests.docs.markers import DOCS

__all__ = ["_clean_slate", "alice", "backbone_folder", "bob", "cache", "hub"]

PAGE = (DOCS / "command-line.md").read_text(encoding="utf-8")
_BACKBONE = "sentence-transformers/all-MiniLM-L6-v2"
_OPTION = re.compile(r"--[a-z][a-z-]*")


def options() -> dict[str, set[str]]:
    """The long options of every command."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    return {
        name: {word for p in command.params for word in (*p.opts, *p.secondary_opts) if word.startswith("--")}
        for name, command in commands.items()
    }


def sections() -> dict[str, str]:
    """What is said of every command, by its heading; blocks of code excluded."""
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    found = {}
    for part in prose.split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        found |= dict.fromkeys(heading.split(", "), text)
    return found


@pytest.mark.parametrize("command", sorted(options()))
def test_every_option_is_told(command: str) -> None:
    told = set(_OPTION.findall(sections()[command]))
    # --json is told once for all; of a switch one of the two words is enough.
    known = options()[command] - {"--json", "--help"}
    pairs = {word for word in known if f"--no-{word[2:]}" in known}
    assert known - pairs <= told, known - pairs - told
    # `login` and `logout` share a section.
    allowed = {
        word for name, words in options().items() if sections()[name] == sections()[command] for word in words
    }
    assert told <= allowed, told - allowed


def test_the_exit_codes_are_those_of_the_help() -> None:
    said = set(re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE))
    assert said == set(
        re.findall(r"\b(\d+) ", " ".join(call("--help").stdout.split("Exit codes:")[1].split()))
    )


def test_the_blocks_run(
    hub: HubWithBackbone, backbone_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews").mkdir()
    rows = [
        {"text": f"the {thing} was {word} .", "label": word}
        for thing in ("film", "food")
        for word in ("good", "bad")
    ]
    (tmp_path / "reviews" / "train.jsonl").write_text("\n".join(map(json.dumps, rows * 4)))
    cells = [f"{row['text']},{row['label']}" for row in rows]
    (tmp_path / "reviews" / "test.csv").write_text("\n".join(["text,label", *cells]))
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    assert len(lines) > 12
    for line in lines:
        name = BACKBONE if " publish " in line else str(backbone_folder)
        text = line.replace(_BACKBONE, name).replace("me/", "alice/").replace("ahub_…", hub.token)
        words = shlex.split(text)
        assert words.pop(0) == "adapter-lib"
        if words[0] == "publish":
            validate(call(*words, "--no-wait", "--json").document["revision"])
        done = call(*words)
        assert done.code == 0, (line, done.stderr)
        assert done.stdout
