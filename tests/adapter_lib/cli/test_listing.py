"""The commands that list what there is, and what holds for every command."""

import pytest

import adapter_lib
from adapter_lib.cli.app import COMMANDS
from adapter_lib.cli.exit_codes import LEGEND
from tests.adapter_lib.cli.running import call


@pytest.mark.parametrize("command", ["methods", "models"])
def test_a_listing_is_a_table_for_people_and_json_for_programs(command: str) -> None:
    shown = call(command, width=300)
    assert shown.code == 0
    rows = call(command, "--json").document
    key = next(iter(rows[0]))
    assert all(row[key] in shown.stdout for row in rows)


def test_every_method_is_listed_with_its_rate_and_paper() -> None:
    rows = {row["method"]: row for row in call("methods", "--json").document}
    assert set(rows) == {method.name for method in adapter_lib.list_methods()}
    assert rows["lora"]["paper"] == "https://arxiv.org/abs/2106.09685"
    assert all(0 < row["learning_rate"] < 1 for row in rows.values())


def test_every_model_type_is_listed_once() -> None:
    rows = call("models", "--json").document
    types = [row["model_type"] for row in rows]
    assert types == sorted(set(types))
    assert set(types) == {kind for family in adapter_lib.list_families() for kind in family.model_types}
    llama = next(row for row in rows if row["model_type"] == "llama")
    assert llama["towers"] == ["decoder"]
    assert "ffn.gate" in llama["roles"]


def test_a_wrong_call_exits_with_two() -> None:
    assert call("methods", "--jsn").code == 2
    assert call("nothing").code == 2
    assert call("train").code == 2


@pytest.mark.parametrize("command", [command.__name__ for command in COMMANDS])
def test_every_command_has_json_and_help(command: str) -> None:
    done = call(command, "--help")
    assert done.code == 0
    assert "--json" in done.stdout


def test_the_help_tells_the_exit_codes() -> None:
    assert LEGEND in " ".join(call("--help").stdout.split())
