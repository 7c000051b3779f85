import json

import pytest
from django.core.management import CommandError, call_command

from hubsite.accounts.models import User
from hubsite.registry.models import Backbone, Card, CommitState, Repo, RepoKind
from hubsite.registry.selectors import backbones, published
from hubsite.registry.services.backbones import link
from tests.hubsite import factories

pytestmark = pytest.mark.django_db
CONFIG = {"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6}
WEIGHTS = factories.safetensors_bytes({"embeddings": (10, 4), "bias": (2,)})


def model_files(config: object = CONFIG) -> dict[str, bytes]:
    return {"config.json": json.dumps(config).encode(), "model.safetensors": WEIGHTS}


@pytest.fixture
def repo(alice: User) -> Repo:
    return factories.make_repo(alice, "minilm")


def test_a_whole_model_makes_a_backbone(repo: Repo) -> None:
    commit = factories.make_commit(repo, model_files())
    repo.refresh_from_db()
    assert repo.kind == RepoKind.BACKBONE
    assert commit.state == CommitState.PUBLISHED
    backbone = Backbone.objects.get()
    assert (backbone.name, backbone.repo, backbone.model_type) == ("alice/minilm", repo, "bert")
    assert (backbone.hidden_size, backbone.num_layers, backbone.parameters) == (384, 6, 42)


def test_files_may_come_one_commit_after_the_other(repo: Repo) -> None:
    for path, content in model_files().items():
        factories.make_commit(repo, {path: content})
    assert published.latest(repo) is not None
    assert repo.kind == RepoKind.BACKBONE
    later = factories.make_commit(repo, {"config.json": json.dumps(CONFIG | {"hidden_size": 8}).encode()})
    assert later.state == CommitState.PUBLISHED
    assert Backbone.objects.get().hidden_size == 8


def test_an_adapter_stays_an_adapter(alice: User, repo: Repo) -> None:
    factories.make_commit(repo, {**model_files(), **factories.adapter_files()})
    assert repo.kind == RepoKind.ADAPTER
    other = factories.make_repo(alice, "other")
    factories.publish(factories.make_commit(other, {"a": b"x"}))
    commit = factories.make_commit(other, model_files())
    assert other.kind == RepoKind.ADAPTER, "or unvalidated versions could follow validated ones"
    assert commit.state == CommitState.RECEIVED


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model_type": "gpt2", "n_embd": 768, "n_layer": 12}, ("gpt2", 768, 12)),
        ({"model_type": "distilbert", "dim": 768, "n_layers": 6}, ("distilbert", 768, 6)),
        ({"model_type": 3, "hidden_size": "many", "num_hidden_layers": -1}, ("", None, None)),
        ({"model_type": "a\0b", "hidden_size": True}, ("", None, None)),
        ([], ("", None, None)),
    ],
)
def test_the_config_is_read_as_a_strangers(repo: Repo, config: object, expected: tuple[object, ...]) -> None:
    factories.make_commit(repo, model_files(config))
    backbone = Backbone.objects.get()
    assert (backbone.model_type, backbone.hidden_size, backbone.num_layers) == expected


def test_weights_that_cannot_be_read_are_not_counted(repo: Repo) -> None:
    factories.make_commit(repo, model_files() | {"model.safetensors": b"broken"})
    assert Backbone.objects.get().parameters is None


def test_an_operator_links_the_hubs_own_copy(alice: User, bob: User, repo: Repo) -> None:
    name = "sentence-transformers/all-MiniLM-L6-v2"
    adapter = factories.make_commit(
        factories.make_repo(bob), factories.adapter_files(backbone=name, hidden_size=1)
    )
    by_copy = factories.make_commit(
        factories.make_repo(bob, "two"), factories.adapter_files(backbone="alice/minilm")
    )
    factories.make_commit(repo, model_files())
    linked = link(repo, name=name, aliases=["all-MiniLM-L6-v2"])
    assert Backbone.objects.get() == linked
    assert (linked.name, linked.repo, linked.hidden_size, linked.parameters) == (name, repo, 384, 42)
    for spelling in (name, name.upper(), "all-minilm-l6-v2", "alice/minilm"):
        assert backbones.by_name(spelling) == linked
    assert set(Card.objects.filter(backbone=linked)) == {adapter.card, by_copy.card}
    assert link(repo, name=name) == linked
    assert backbones.by_name("minilm") is None


def test_another_repo_cannot_take_a_linked_name(alice: User, bob: User, repo: Repo) -> None:
    factories.make_commit(repo, model_files())
    link(repo, name="upstream/minilm", aliases=["bob/minilm"])
    factories.make_commit(factories.make_repo(bob, "minilm"), model_files())
    assert Backbone.objects.get().repo == repo


def test_the_command_links(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    factories.make_commit(repo, model_files())
    call_command("link_backbone", "ALICE/minilm", "upstream/minilm", "--alias", "minilm")
    assert capsys.readouterr().out == "alice/minilm is upstream/minilm, also called alice/minilm, minilm.\n"
    assert backbones.by_name("minilm") == Backbone.objects.get()


@pytest.mark.parametrize("name", ["alice/nothing", "alice", "alice/adapter"])
def test_the_command_needs_a_backbone_of_this_hub(alice: User, name: str) -> None:
    factories.make_repo(alice, "adapter")
    with pytest.raises(CommandError, match="There is no backbone"):
        call_command("link_backbone", name, "upstream/minilm")
