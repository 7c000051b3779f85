import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter_lib.spec.ids import (
    HubHash,
    HubName,
    HubQuery,
    IdError,
    LocalPath,
    UpstreamName,
    check_repo_name,
    check_revision,
    is_commit_sha,
    parse_id,
    split_repo_id,
)

SHA = "0123456789" * 4
TASKS = ("sentiment", "ner")


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("hub:demo/minilm", HubName("demo", "minilm", ambiguous=True)),
        ("hub:demo/minilm@v2", HubName("demo", "minilm", "v2", ambiguous=True)),
        ("hub:demo/minilm@refs/pr/1", HubName("demo", "minilm", "refs/pr/1")),
        (f" hub:demo/minilm@{SHA} ", HubName("demo", "minilm", SHA, ambiguous=True)),
        ("hub:sentiment", HubQuery("sentiment")),
        ("hub:Sentiment@demo", HubQuery("sentiment", namespace="demo")),
        ("hub:sentiment/LoRA?language=en", HubQuery("sentiment", "lora", language="en")),
        (
            "hub:sentiment/sst-2@demo?backbone=google-bert%2Fbert-base-uncased&language=en",
            HubQuery("sentiment", "sst-2", "demo", "google-bert/bert-base-uncased", "en"),
        ),
        ("hub:sha256:" + "AB" * 32, HubHash("ab" * 32)),
        ("hf:gpt2", UpstreamName("gpt2")),
        ("hf:AdapterHub/bert@main", UpstreamName("AdapterHub/bert", "main")),
        ("./folder", LocalPath("./folder")),
        ("demo/minilm", LocalPath("demo/minilm")),
    ],
)
def test_every_form(text: str, parsed: object) -> None:
    assert parse_id(text) == parsed


def test_the_list_of_tasks_decides_between_name_and_query() -> None:
    assert parse_id("hub:sentiment/lora@v2", tasks=TASKS) == HubQuery("sentiment", "lora", "v2")
    assert parse_id("hub:demo/lora@v2", tasks=TASKS) == HubName("demo", "lora", "v2")


def test_an_ambiguous_name_read_as_a_query() -> None:
    assert parse_id("hub:Sentiment/LoRA@demo") == HubName("Sentiment", "LoRA", "demo", True)
    assert parse_id("hub:Sentiment/LoRA@demo", tasks=TASKS) == HubQuery("sentiment", "lora", "demo")
    with pytest.raises(IdError):
        parse_id("hub:sentiment/lora@refs/pr/1", tasks=TASKS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 501,
        "hub:",
        "hub:/lora",
        "hub:a/b/c",
        "hub:a/b@",
        "hub:a/b@v 2",
        "hub:a/b?",
        "hub:a/b?method=lora",
        "hub:a/b?language=",
        "hub:a/b?language=en&language=de",
        "hub:a/b?language",
        "hub:sha256:abc",
        "hub:a--b/c",
        "hub:-a/c",
        "hub:a/c.git",
        "hub:a\x00b/c",
        "hf:",
        "hf:a/b@",
        "hf:a/b/c",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(IdError, match=r"\.$"):
        parse_id(text)


@given(
    st.sampled_from(["hub:", "hf:", "hub:sha256:", ""]),
    st.text(alphabet="aB/@?&=%.-_:\x00\ud800é ", max_size=40),
)
def test_arbitrary_text_raises_id_errors_only(prefix: str, text: str) -> None:
    try:
        parse_id(prefix + text)
    except IdError as error:
        str(error).encode()


def test_revisions() -> None:
    for good in ("main", "v1", "feat/x", SHA):
        check_revision(good)
    for bad in ("", "a..b", "a b", "-x", "/x", "x/", "x.lock", "x@{1}", "x" * 201, "a\u202eb"):
        with pytest.raises(IdError):
            check_revision(bad)
    assert is_commit_sha(SHA)
    assert not is_commit_sha(SHA[:-1])
    assert not is_commit_sha(None)


def test_repo_names_follow_the_grammar_of_the_model_hub() -> None:
    check_repo_name("alice", "my-adapter_1.0")
    check_repo_name(None, "gpt2")
    assert split_repo_id("alice/x") == ("alice", "x")
    with pytest.raises(IdError, match="namespace"):
        split_repo_id("x")
    with pytest.raises(IdError, match="more than 96"):
        check_repo_name("a" * 48, "b" * 48)
