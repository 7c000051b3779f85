"""Which adapter an id means. The cases of the table are the traps of the first AdapterHub's resolver."""

import pytest
from pytest_django import DjangoAssertNumQueries

from hubsite.accounts.actors import Actor
from hubsite.accounts.models import User
from hubsite.core.errors import BadInput, Conflict, HubError, NotFound
from hubsite.registry.models import Backbone, Repo, RepoKind
from hubsite.registry.services import states
from hubsite.search.resolver.answer import Kind, Resolution
from hubsite.search.resolver.resolve import resolve
from hubsite.storage.current import blob_store
from tests.hubsite import factories
from tests.hubsite.search.made import BERT, MINILM, give_score, make_adapter, make_suite

pytestmark = pytest.mark.django_db
ANYBODY = Actor.anonymous()


@pytest.fixture
def shelf(alice: User, bob: User) -> None:
    """Alice's and bob's adapters for two tasks on two backbones; scores only for sentiment."""
    suite = make_suite(alice)
    best = make_adapter(alice, "praise-lora", datasets=["sst-2"])
    other = make_adapter(bob, "mood-lora", datasets=["stanfordnlp/imdb"], backbone=BERT)
    slim = make_adapter(bob, "mood-bn", config="seq_bn", datasets=["sst-2"], language=["de"])
    make_adapter(alice, "nli-cb", adapter_task="nli", datasets=["cb"], backbone=BERT)
    make_adapter(bob, "nli-rte", adapter_task="nli", datasets=["rte"], backbone=BERT)
    make_adapter(alice, "entities", adapter_task="ner", datasets=["conll2003"], backbone=BERT)
    make_adapter(bob, "chunks", adapter_task="chunk", datasets=["conll2003"], backbone=BERT)
    for commit, value in ((best, 0.93), (other, 0.91), (slim, 0.92)):
        give_score(commit, suite, value)
    Backbone.objects.filter(name=BERT).update(aliases=["bert-base"])


def chosen(text: str, **wishes: str) -> str:
    return resolve(ANYBODY, text, **wishes).choice.id


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("text", "wishes", "choice"),
    [
        ("sentiment", {}, "alice/praise-lora"),
        ("hub:sentiment", {}, "alice/praise-lora"),
        ("  sentiment/lora ", {}, "alice/praise-lora"),
        ("sentiment/seq_bn", {}, "bob/mood-bn"),
        ("sentiment/pfeiffer", {}, "bob/mood-bn"),
        ("sentiment/sst-2", {}, "alice/praise-lora"),
        ("Sentiment/SST-2", {}, "alice/praise-lora"),
        ("sentiment/imdb", {}, "bob/mood-lora"),
        ("sentiment@bob", {}, "bob/mood-bn"),
        ("sentiment/lora@BOB", {}, "bob/mood-lora"),
        (f"sentiment?backbone={BERT}", {}, "bob/mood-lora"),
        ("sentiment?backbone=bert-base-uncased", {}, "bob/mood-lora"),
        ("sentiment?backbone=bert-base", {}, "bob/mood-lora"),
        ("sentiment?language=de", {}, "bob/mood-bn"),
        ("sentiment", {"language": "German"}, "bob/mood-bn"),
        ("sentiment", {"backbone": "bert-base"}, "bob/mood-lora"),
        ("sentiment?backbone=bert-base", {"backbone": BERT}, "bob/mood-lora"),
        ("ner/conll2003", {}, "alice/entities"),
        ("chunk/conll2003", {}, "bob/chunks"),
        ("alice/praise-lora", {}, "alice/praise-lora"),
        ("Alice/PRAISE-lora@v1", {}, "alice/praise-lora"),
        ("alice/praise-lora@main", {}, "alice/praise-lora"),
        ("alice/praise-lora", {"revision": "v1", "backbone": MINILM}, "alice/praise-lora"),
    ],
)
def test_ids_that_mean_one_adapter(text: str, wishes: dict[str, str], choice: str) -> None:
    assert chosen(text, **wishes) == choice


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("text", "wishes", "error", "says"),
    [
        # Nothing of an id is dropped: no namespace (#12, #14, #22), method (#19) or backbone (#6, #24).
        ("sentiment/imdb@alice", {}, NotFound, ["by alice", "namespaces: bob"]),
        ("sentiment@nobody", {}, NotFound, ["by nobody", "namespaces: alice, bob"]),
        ("sentiment/double_seq_bn", {}, NotFound, ["method double_seq_bn", "methods: lora, seq_bn"]),
        ("sentiment/nothing", {}, NotFound, ["method or dataset nothing", "methods: lora, seq_bn"]),
        ("sentiment?backbone=t5-base", {}, NotFound, ["t5-base", BERT, MINILM]),
        ("sentiment/seq_bn?backbone=bert-base", {}, NotFound, [f"for {BERT}", f"backbones: {MINILM}"]),
        ("sentiment?language=xx", {}, NotFound, ["'xx'", "de, en"]),
        ("ner?language=de", {}, NotFound, ["language de", "languages: en"]),
        ("alice/praise-lora", {"backbone": BERT}, Conflict, [MINILM, BERT]),
        ("alice/praise-lora", {"language": "de"}, Conflict, ["en", "de"]),
        ("alice/praise-lora@v7", {}, NotFound, ["v7"]),
        ("alice/absent", {}, NotFound, ["alice/absent"]),
        # A dataset is no task, and a word is not guessed at (#7, #10, #15).
        ("conll2003", {}, NotFound, ["no task 'conll2003'", "dataset of the task"]),
        ("sentimnt", {}, NotFound, ["Did you mean sentiment"]),
        ("sentimnt/lora", {}, NotFound, ["Did you mean sentiment"]),
        ("qa", {}, NotFound, ["Nothing is published for qa", "sentiment"]),
        ("xyzzy", {}, NotFound, ["There are adapters for: chunk, ner, nli, sentiment"]),
        ("sha256:" + "0" * 64, {}, NotFound, ["0" * 64]),
        # What is not an id of this hub is said to be none.
        ("", {}, BadInput, ["id"]),
        ("a/b/c", {}, BadInput, ["b/c"]),
        ("sentiment@a@b", {}, BadInput, ["a@b"]),
        ("sentiment?color=red", {}, BadInput, ["color"]),
        ("sha256:12", {}, BadInput, ["64"]),
        ("alice/praise-lora@v1", {"revision": "v2"}, BadInput, ["'v1'", "'v2'"]),
        ("sentiment?backbone=bert-base", {"backbone": MINILM}, BadInput, [BERT, MINILM]),
        ("sentiment", {"revision": "v1"}, BadInput, ["revision"]),
        ("x" * 1000, {}, BadInput, ["500"]),
        ("alice/\ud800", {}, BadInput, []),
        ("alice/x@\0", {}, BadInput, []),
    ],
)
def test_ids_that_mean_nothing_say_what_there_is(
    text: str, wishes: dict[str, str], error: type[HubError], says: list[str]
) -> None:
    with pytest.raises(error) as caught:
        resolve(ANYBODY, text, **wishes)
    for words in says:
        assert words in caught.value.message
    assert caught.value.message.endswith((".", "?"))


def ids(resolution: Resolution) -> list[str]:
    return [resolution.choice.id, *(candidate.id for candidate in resolution.candidates)]


@pytest.mark.usefixtures("shelf")
def test_the_better_score_comes_first_and_all_others_are_named() -> None:
    found = resolve(ANYBODY, "sentiment")
    assert ids(found) == ["alice/praise-lora", "bob/mood-bn", "bob/mood-lora"]
    assert (found.kind, found.total) == (Kind.QUERY, 3)
    assert found.choice.reason == "best of 3: verified accuracy 93.0% on tiny v1"
    assert found.candidates[0].reason == "verified accuracy 92.0% on tiny v1"


def test_without_scores_downloads_decide_and_then_the_date(alice: User) -> None:
    first, second, third = (make_adapter(alice, name) for name in ("first", "second", "third"))
    Repo.objects.filter(pk=first.repo_id).update(downloads=3)
    assert ids(resolve(ANYBODY, "sentiment")) == ["alice/first", "alice/third", "alice/second"]
    assert resolve(ANYBODY, "sentiment").choice.reason == "first of 3: no verified score yet, 3 downloads"
    give_score(second, make_suite(alice, slug="nli-set", task="nli"), 0.99)
    assert resolve(ANYBODY, "sentiment").choice.id == "alice/first", "another task's score counted"
    give_score(third, make_suite(alice), 0.4)
    assert ids(resolve(ANYBODY, "sentiment"))[0] == "alice/third"


def test_a_score_on_an_outdated_suite_does_not_count(alice: User) -> None:
    old, new = make_adapter(alice, "old"), make_adapter(alice, "new")
    give_score(old, make_suite(alice), 0.99)
    give_score(new, make_suite(alice, version=2), 0.6)
    assert ids(resolve(ANYBODY, "sentiment")) == ["alice/new", "alice/old"]


def test_the_answer_names_files_version_and_backbone(alice: User) -> None:
    backbone = factories.make_repo(alice, "small", RepoKind.BACKBONE)
    commit = make_adapter(alice, "praise")
    Backbone.objects.filter(name=MINILM).update(repo=backbone)
    found = resolve(ANYBODY, "alice/praise")
    assert (found.kind, found.total, found.candidates) == (Kind.NAME, 1, ())
    choice = found.choice
    assert (choice.revision, choice.version, choice.state) == (commit.sha, "v1", "published")
    assert (choice.task, choice.method, choice.languages) == ("sentiment", "lora", ("en",))
    assert choice.backbone is not None
    assert (choice.backbone.id, choice.backbone.repo) == (MINILM, "alice/small")
    entries = {entry.path: (entry.blob.sha256, entry.blob.size) for entry in commit.entries.all()}
    assert {file.path: (file.sha256, file.size) for file in found.files} == entries
    backbone.private = True
    backbone.save()
    hidden = resolve(ANYBODY, "alice/praise").choice.backbone
    assert hidden is not None
    assert hidden.repo is None


def test_a_name_means_its_latest_published_version(alice: User) -> None:
    first = make_adapter(alice, "praise", body="One.")
    waiting = make_adapter(alice, "praise", body="Two.", published=False)
    assert resolve(ANYBODY, "alice/praise").choice.revision == first.sha
    at_main = resolve(ANYBODY, "alice/praise@main").choice
    assert (at_main.revision, at_main.state, at_main.version) == (waiting.sha, "received", None)
    assert resolve(ANYBODY, f"alice/praise@{waiting.sha[:8]}").choice.revision == waiting.sha


def test_a_name_without_published_version_answers_with_its_state(alice: User) -> None:
    commit = make_adapter(alice, "praise", published=False)
    assert resolve(ANYBODY, "alice/praise").choice.state == "received"
    with pytest.raises(NotFound):
        resolve(ANYBODY, "sentiment")
    states.start_validation(commit)
    assert resolve(ANYBODY, "alice/praise").choice.state == "validating"


def test_a_failed_commit_exists_for_its_owner_alone(alice: User, bob: User) -> None:
    commit = make_adapter(alice, "praise", published=False)
    states.fail(commit, "All weights are zero.")
    for actor in (ANYBODY, Actor.of_user(bob)):
        for text in ("alice/praise", f"alice/praise@{commit.sha}"):
            with pytest.raises(NotFound):
                resolve(actor, text)
    assert resolve(Actor.of_user(alice), "alice/praise").choice.state == "failed"


def test_an_empty_repo_and_another_kind_of_repo_are_no_adapters(alice: User) -> None:
    factories.make_repo(alice, "empty")
    factories.make_repo(alice, "small", RepoKind.BACKBONE)
    with pytest.raises(NotFound, match="empty"):
        resolve(ANYBODY, "alice/empty")
    with pytest.raises(NotFound, match="is a backbone, not an adapter"):
        resolve(ANYBODY, "alice/small")


def test_private_adapters_are_for_their_owner(alice: User, bob: User) -> None:
    commit = make_adapter(alice, "secret", private=True)
    weights = commit.entries.get(path="adapter.safetensors").blob_id
    for text in ("alice/secret", "sentiment", f"sha256:{weights}"):
        for actor in (ANYBODY, Actor.of_user(bob)):
            with pytest.raises(NotFound):
                resolve(actor, text)
        assert resolve(Actor.of_user(alice), text).choice.id == "alice/secret"


def test_a_hash_finds_every_repo_with_these_weights_once(alice: User, bob: User) -> None:
    make_adapter(alice, "praise", body="One.")
    commit = make_adapter(alice, "praise", body="Two.")
    weights = commit.entries.get(path="adapter.safetensors")
    copy = factories.make_repo(bob, "copy")
    files = {entry.path: _content(entry.blob_id) for entry in commit.entries.all()}
    factories.publish(factories.make_commit(copy, files))
    Repo.objects.filter(pk=commit.repo_id).update(downloads=9)
    found = resolve(ANYBODY, f"hub:sha256:{weights.blob_id.upper()}")
    assert (found.kind, ids(found), found.total) == (Kind.HASH, ["alice/praise", "bob/copy"], 2)
    assert found.choice.revision == commit.sha
    with pytest.raises(NotFound):
        resolve(ANYBODY, f"sha256:{weights.blob_id}", backbone=_unused_backbone())


def _content(sha256: str) -> bytes:
    with blob_store().open(sha256) as stream:
        return stream.read()


def _unused_backbone() -> str:
    return Backbone.objects.create(name="example/unused").name


def test_a_long_list_is_cut_and_counted_and_costs_no_more_queries(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(24):
        make_adapter(alice, f"praise-{number}")
    with django_assert_max_num_queries(9):
        found = resolve(ANYBODY, "sentiment/lora")
    assert (len(found.candidates), found.total) == (20, 24)
