import pytest

from adapter_lib.spec.configs import LoRAConfig, SeqBnConfig, canonical_hash, config_to_dict
from adapter_lib.spec.manifest import CONFIG_FILE, WEIGHTS_FILE
from hubsite.accounts.models import User
from hubsite.registry.models import Backbone, Card, Commit, CommitState, Repo
from tests.hubsite import factories

pytestmark = pytest.mark.django_db
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def repo(alice: User) -> Repo:
    return factories.make_repo(alice)


def card_of(repo: Repo, files: dict[str, bytes]) -> Card:
    commit = factories.make_commit(repo, files)
    assert commit.state == CommitState.RECEIVED
    return Card.objects.get(commit=commit)


def test_a_whole_card(repo: Repo) -> None:
    front = f"""license: Apache-2.0
language: [en, pt-BR]
adapter_task: sentiment
datasets: [sst2, imdb]
base_model: {MINILM}
model-index:
- name: x
  results:
  - dataset: {{name: SST-2, type: sst2}}
    metrics: [{{type: accuracy, value: 91.5}}]"""
    config = LoRAConfig(r=4)
    tensors = {"layers.0.attn.q.lora_a": (4, 8), "layers.0.attn.q.lora_b": (8, 4), "head.0.weight": (2, 8)}
    files = factories.adapter_files(front=front, method=config, tensors=tensors)
    card = card_of(repo, files)
    assert card.warnings == []
    assert card.summary == "Tells praise from blame."
    assert (card.license, card.dataset) == ("apache-2.0", "sst2")
    assert card.task is not None
    assert card.task.slug == "sentiment"
    assert sorted(language.code for language in card.languages.all()) == ["en", "pt"]
    assert (card.method, card.config, card.config_hash) == (
        "lora",
        config_to_dict(config),
        canonical_hash(config),
    )
    assert card.parameters == 64
    assert card.weights_size == len(files[WEIGHTS_FILE])
    assert len(card.weights_sha256) == 64
    assert card.claims == [{"metric": "accuracy", "value": 0.915, "dataset": "sst2"}]


def test_a_backbone_is_made_on_first_sight_and_its_facts_stay(repo: Repo) -> None:
    card_of(repo, factories.adapter_files(hidden_size=384))
    backbone = Backbone.objects.get()
    assert (backbone.name, backbone.model_type) == (MINILM, "bert")
    assert (backbone.hidden_size, backbone.num_layers) == (384, 6)
    card = card_of(repo, factories.adapter_files(hidden_size=768, backbone=MINILM.upper()))
    assert card.backbone == backbone
    assert Backbone.objects.get().hidden_size == 384


def test_a_backbone_is_known_by_its_aliases(repo: Repo) -> None:
    backbone = Backbone.objects.create(name="google-bert/bert-base-uncased", aliases=["bert-base-uncased"])
    front = "license: mit\nadapter_task: sentiment\nbase_model: google-bert/bert-base-uncased"
    card = card_of(repo, factories.adapter_files(front=front, backbone="Bert-Base-Uncased"))
    assert card.backbone == backbone
    assert card.warnings == []


def test_the_method_has_the_name_that_people_say(repo: Repo) -> None:
    assert card_of(repo, factories.adapter_files(method=SeqBnConfig())).method == "seq_bn"


def test_a_tag_names_the_task_too(repo: Repo) -> None:
    card = card_of(repo, factories.adapter_files(front="license: mit\ntags: [adapter_lib, lora, ner]"))
    assert card.task is not None
    assert card.task.slug == "ner"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"front": "license: mit\nadapter_task: mood"}, "task 'mood' is not known"),
        ({"front": "license: mit"}, "names no task"),
        (
            {"front": "license: mit\nadapter_task: sentiment\nlanguage: [en, qqq]"},
            "language 'qqq' is not known",
        ),
        ({"front": "license: mit\nadapter_task: sentiment\nbase_model: a/b"}, "the latter counts"),
        ({"front": "license: [\n"}, "front matter could not be read"),
        ({"backbone": "no/model/id"}, "not a repository name"),
    ],
)
def test_what_cannot_be_used_is_a_warning(repo: Repo, change: dict[str, str], sentence: str) -> None:
    warnings = card_of(repo, factories.adapter_files(**change)).warnings  # type: ignore[arg-type]
    assert any(sentence in warning for warning in warnings)


@pytest.mark.parametrize(
    ("path", "content", "sentence"),
    [
        (CONFIG_FILE, b"{", "not valid JSON"),
        (CONFIG_FILE, b'{"peft_type": "LORA"}', "PEFT"),
        (CONFIG_FILE, b"\xff\xfe\0", "not valid JSON"),
        (CONFIG_FILE, b" " * 2 * 1024**2, "more than"),
        (WEIGHTS_FILE, b"", "shorter than the 8 bytes"),
        (WEIGHTS_FILE, b"PK\x03\x04 not an adapter", "claims"),
        (WEIGHTS_FILE, factories.safetensors_bytes({"a": (2,)}) + b"x", "appended"),
    ],
)
def test_no_file_however_broken_refuses_the_commit(
    repo: Repo, path: str, content: bytes, sentence: str
) -> None:
    card = card_of(repo, factories.adapter_files() | {path: content})
    assert any(sentence in warning for warning in card.warnings)


def test_characters_that_no_database_takes(repo: Repo) -> None:
    front = 'license: mit\ndatasets: ["a\\0b"]\ntags: ["\\uD800"]'
    files = factories.adapter_files(front=front, body="a\0b")
    broken = files[CONFIG_FILE].replace(b'"revision": null', b'"revision": "\\u0000\\ud800"')
    assert broken != files[CONFIG_FILE]
    card = card_of(repo, files | {CONFIG_FILE: broken})
    assert card.backbone_revision == ""


def test_files_that_are_missing_are_said(repo: Repo) -> None:
    card = card_of(repo, {"notes.txt": b"hi"})
    assert any(CONFIG_FILE in warning for warning in card.warnings)
    assert any(WEIGHTS_FILE in warning for warning in card.warnings)
    assert (card.method, card.weights_sha256, card.backbone) == ("", "", None)


def test_each_commit_has_its_own_card(repo: Repo) -> None:
    first = card_of(repo, factories.adapter_files())
    second = card_of(repo, {"README.md": b"---\nlicense: mit\n---\nNew words.\n"})
    assert (first.summary, second.summary) == ("Tells praise from blame.", "New words.")
    assert first.weights_sha256 == second.weights_sha256
    assert Commit.objects.count() == 2
