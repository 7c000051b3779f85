"""The commands that list what there is."""

import json

import pytest
from typer.testing import CliRunner

import adapter_lib
from adapter_lib.cli import app as application

RUN = CliRunner()


@pytest.mark.parametrize("command", ["methods", "families"])
def test_a_listing_is_a_table_for_people_and_json_for_programs(command: str) -> None:
    shown = RUN.invoke(application.app, [command], env={"COLUMNS": "300"})
    assert shown.exit_code == 0
    rows = json.loads(RUN.invoke(application.app, [command, "--json"]).stdout)
    key = next(iter(rows[0]))
    assert all(row[key] in shown.stdout for row in rows)


def test_every_method_is_listed_with_its_rate_and_paper() -> None:
    rows = {r["method"]: r for r in json.loads(RUN.invoke(application.app, ["methods", "--json"]).stdout)}
    assert set(rows) == {method.name for method in adapter_lib.list_methods()}
    assert rows["lora"]["paper"] == "https://arxiv.org/abs/2106.09685"
    assert all(0 < row["learning_rate"] < 1 for row in rows.values())


def test_every_family_is_listed() -> None:
    rows = {r["family"]: r for r in json.loads(RUN.invoke(application.app, ["families", "--json"]).stdout)}
    assert set(rows) == {family.name for family in adapter_lib.list_families()}
    assert "attn.q" in rows["bert"]["roles"]


def test_a_wrong_call_exits_with_two() -> None:
    assert RUN.invoke(application.app, ["methods", "--jsn"]).exit_code == 2
