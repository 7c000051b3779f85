"""An adapter's page: evidence for all, reasons for the owner, nothing for strangers before publication."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from adapter_lib.spec.snippet import snippet
from hubsite.accounts.models import User
from hubsite.registry.models import Commit, RepoKind
from hubsite.validation.models import Run, Severity
from hubsite.validation.reports import Found
from hubsite.validation.steps import StepName
from tests.functional import gallery, validations
from tests.functional.exhibits import ADAPTERS
from tests.hubsite import factories

LORA = next(made for made in ADAPTERS if made.name == "sentiment-lora")
_QUERIES = 14
_NAN = Found(
    StepName.TENSORS, "tensors.not_finite", Severity.ERROR, detail={"tensor": "layers.0.attn.q", "count": 7}
)


def _published() -> Commit:
    gallery.fill(adapters=[LORA])
    return Commit.objects.get(repo__name="sentiment-lora")


def _failed(owner: User, name: str = "broken") -> Commit:
    commit = factories.make_commit(factories.make_repo(owner, name), gallery.files_of(LORA))
    validations.fail(Run.objects.get(commit=commit), StepName.TENSORS, _NAN)
    commit.refresh_from_db()
    return commit


def _text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


@pytest.mark.django_db
def test_it_shows_facts_scores_card_files_and_trail(client: Client) -> None:
    commit = _published()
    html = _text(client, "/demo/sentiment-lora")
    for fact in ("verified", "LoRA r=8 · q,v", "73\u202f728", "0.32 % of the backbone", "English",
                 "sentence-transformers/all-MiniLM-L6-v2", "1\u202f240", "apache-2.0"):  # fmt: skip
        assert fact in html, fact
    assert "Beats the linear probe on the bare backbone by 7.8 points (95 % interval 4.7 to 10.5)." in html
    assert "Trained for ten epochs" in html
    assert f"/demo/sentiment-lora/resolve/{commit.sha}/adapter.safetensors" in html
    assert html.count('class="is-passed"') == 10
    assert "matched 24, missing 0" in html
    assert "LoRA, rank 8, on query and value, in all 6 layers" in html


@pytest.mark.django_db
def test_its_code_is_the_one_the_library_writes(client: Client) -> None:
    _published()
    html = _text(client, "/demo/sentiment-lora")
    code = re.search(r'<code id="snippet">(.*?)</code>', html, re.S)
    assert code is not None
    texts = ("A delight from start to finish.", "I want my two hours back.")
    expected = snippet("demo/sentiment-lora", texts, ("negative", "positive"), endpoint="http://testserver")
    assert code[1].replace("&quot;", '"').replace("&gt;", ">").replace("&#x27;", "'") == expected


@pytest.mark.django_db
def test_a_version_can_be_named_by_tag_branch_and_sha(client: Client) -> None:
    commit = _published()
    for revision in ("v1", "main", commit.sha, commit.sha[:7]):
        html = _text(client, f"/demo/sentiment-lora/{revision}")
        assert f"hub:demo/sentiment-lora@{revision}" in html
    _text(client, "/demo/sentiment-lora/v2", 404)
    _text(client, "/demo/sentiment-lora/no/such/thing", 404)
    assert "sentiment-lora" in _text(client, "/DEMO/Sentiment-LoRA")


def test_an_owner_reads_why_it_failed_and_a_stranger_nothing(
    alice: User, as_alice: Client, as_bob: Client, client: Client
) -> None:
    commit = _failed(alice)
    html = _text(as_alice, "/alice/broken")
    assert "The tensor layers.0.attn.q has NaN or infinite values (7)." in html
    assert "nobody but you can see it" in html
    assert 'id="snippet"' not in html
    for stranger in (as_bob, client):
        for path in ("/alice/broken", f"/alice/broken/{commit.sha}", "/alice/broken/main"):
            assert "layers.0" not in _text(stranger, path, 404)


def test_an_older_good_version_stays_and_the_owner_hears_of_the_newer_failure(
    alice: User, as_alice: Client, as_bob: Client
) -> None:
    repo = factories.make_repo(alice, "twice")
    first = factories.make_commit(repo, gallery.files_of(LORA))
    validations.pass_run(Run.objects.get(commit=first), validations.Outcome())
    second = factories.make_commit(repo, {"adapter.safetensors": b"nonsense"})
    validations.fail(Run.objects.get(commit=second), StepName.TENSORS, _NAN)
    mine = _text(as_alice, "/alice/twice")
    assert "did not pass" in mine
    assert f"/alice/twice/{second.sha}" in mine
    theirs = _text(as_bob, "/alice/twice")
    assert second.sha not in theirs
    assert "did not pass" not in theirs
    _text(as_bob, f"/alice/twice/{second.sha}", 404)


def test_while_it_is_validated_the_owner_is_led_to_the_run(alice: User, as_alice: Client) -> None:
    commit = factories.make_commit(factories.make_repo(alice, "going"), gallery.files_of(LORA))
    html = _text(as_alice, "/alice/going")
    assert "being validated" in html
    assert f"/runs/{Run.objects.get(commit=commit).id}" in html


def test_private_and_empty_repositories(alice: User, as_alice: Client, client: Client) -> None:
    factories.make_repo(alice, "empty", private=True)
    assert "Nothing has been committed yet" in _text(as_alice, "/alice/empty")
    hidden = _text(client, "/alice/empty", 404)
    absent = _text(client, "/alice/never-was", 404)
    assert hidden.replace("empty", "X") == absent.replace("never-was", "X")


def test_a_hostile_card_is_harmless_for_its_owner_too(alice: User, as_alice: Client) -> None:
    hostile = b"---\nlicense: '\"><script>x</script>'\n---\n<script>x</script> <img src=x onerror=y>"
    factories.make_commit(factories.make_repo(alice, "hostile"), {"README.md": hostile})
    html = _text(as_alice, "/alice/hostile")
    assert "<script>x" not in html
    assert "<img" not in html
    assert "could not be used" in html


def test_backbones_and_evaluation_sets_have_plain_pages(client: Client, alice: User) -> None:
    backbone = factories.make_repo(alice, "tiny-bert", RepoKind.BACKBONE)
    files = {"config.json": b"{}", "model.safetensors": b"x", "README.md": b"---\na: b\n---\n# Tiny"}
    factories.make_commit(backbone, files)
    html = _text(client, "/alice/tiny-bert")
    assert "Backbone" in html
    assert "<h3>Tiny</h3>" in html
    assert "a: b" not in html
    suite = factories.make_repo(alice, "set", RepoKind.DATASET)
    commit = factories.make_commit(suite, {"test.jsonl": b"{}"})
    assert f"/datasets/alice/set/resolve/{commit.sha}/test.jsonl" in _text(client, "/datasets/alice/set")
    _text(client, "/alice/set", 404)


@pytest.mark.django_db
def test_the_number_of_queries_is_bounded(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _published()
    _text(client, "/demo/sentiment-lora")
    with django_assert_max_num_queries(_QUERIES):
        _text(client, "/demo/sentiment-lora")
