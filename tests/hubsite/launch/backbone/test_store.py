"""The backbone becomes a public repository that nobody can sign in for."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import Namespace
from hubsite.launch.backbone.recipes import MINILM
from hubsite.launch.backbone.store import store, stored_revision
from hubsite.registry.models import Backbone, RepoKind
from hubsite.registry.selectors.repos import find_repo
from hubsite.registry.selectors.revisions import find_commit
from hubsite.registry.selectors.trees import list_tree
from tests.hubsite.launch.backbone.made import CONTENT, recipe, write_folder

pytestmark = pytest.mark.django_db


def test_stores_the_files_as_a_public_backbone(tmp_path: Path) -> None:
    sha = store(recipe(), write_folder(tmp_path))
    assert stored_revision("makers/tiny") == sha
    repo = find_repo(Actor.anonymous(), is_dataset=False, namespace="makers", name="tiny")
    assert repo.kind == RepoKind.BACKBONE
    paths = {item.path for item in list_tree(find_commit(repo, "main"))}
    assert paths == {*CONTENT, "README.md", "tokenizer_config.json"}
    backbone = Backbone.objects.get(repo=repo)
    assert (backbone.name, backbone.hidden_size, backbone.num_layers) == ("makers/tiny", 8, 2)


def test_its_owner_has_no_password(tmp_path: Path) -> None:
    store(recipe(), write_folder(tmp_path))
    assert not Namespace.objects.get(key="makers").owner.has_usable_password()


def test_storing_it_again_changes_nothing(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    assert store(recipe(), folder) == store(recipe(), folder)


def test_the_command_does_nothing_where_the_hub_has_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sha = store(recipe(MINILM.name), write_folder(tmp_path))
    call_command("import_backbone")
    assert capsys.readouterr().out == f"{MINILM.name} is in the hub already, at revision {sha[:8]}.\n"


def test_the_command_refuses_a_folder_with_other_bytes(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"config\.json from .* has the sha256"):
        call_command("import_backbone", folder=write_folder(tmp_path))
    assert stored_revision(MINILM.name) is None


def test_the_command_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent has no file config\.json"):
        call_command("import_backbone", folder=tmp_path / "absent")
