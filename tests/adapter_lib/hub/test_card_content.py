from pathlib import Path

from adapter_lib.hub.card_content import Details, as_languages, card_content
from adapter_lib.hub.settings import Hub
from adapter_lib.spec.card import parse_card, render_card
from adapter_lib.spec.configs import LoRAConfig, SeqBnConfig, UnionConfig
from adapter_lib.spec.heads import ClassificationSpec
from adapter_lib.spec.manifest import BackboneRef, Manifest

HUB = Hub("https://hub.example", None, Path("unused"))
BACKBONE = BackboneRef("a/bert", "r1", "0" * 16, "bert", 16, 2)
HEAD = ClassificationSpec(("negative", "positive"), "mean", 1)


def test_the_card_says_all_that_is_known() -> None:
    manifest = Manifest("lora", LoRAConfig(r=4), "bert", "0" * 16, BACKBONE, HEAD, "0.1.0")
    details = Details("sentiment", "mit", "films", ("en", "de"), {"accuracy": 0.5, "f1": 1})
    card = parse_card(render_card(card_content(HUB, "alice/good", manifest, details)))
    assert card.warnings == []
    assert (card.license, card.languages, card.task, card.datasets) == (
        "mit",
        ("en", "de"),
        "sentiment",
        ("films",),
    )
    assert [(claim.metric, claim.value) for claim in card.claims] == [("accuracy", 0.5), ("f1", 1.0)]
    assert card.base_model == "a/bert"
    assert card.summary == "A lora adapter for sentiment on a/bert. Trained on films."
    assert card.front["pipeline_tag"] == "text-classification"
    for part in (
        "r=4",
        "targets=q+v",
        "leave_out=none",
        "| 1 | positive |",
        'endpoint="https://hub.example"',
        "r1",
    ):
        assert part in card.body


def test_a_union_has_a_row_for_each_of_its_members() -> None:
    union = UnionConfig(configs=(LoRAConfig(r=4), SeqBnConfig()), leave_out=(1,))
    manifest = Manifest("union", union, "bert", "0" * 16, BACKBONE, HEAD, "0.1.0")
    content = card_content(HUB, "alice/both", manifest, Details("sentiment", "mit"))
    assert [name for name, _ in content.settings] == ["Configuration: lora", "Configuration: seq_bn"]
    assert all("leave_out=1" in told for _, told in content.settings)
    card = parse_card(render_card(content))
    assert card.warnings == []
    assert card.summary == "A lora|seq_bn adapter for sentiment on a/bert."


def test_what_is_unknown_is_left_out() -> None:
    config = SeqBnConfig()
    manifest = Manifest(config.method, config, "bert", "0" * 16, BACKBONE, None, "0.1.0")
    content = card_content(HUB, "alice/good", manifest, Details("ner", "mit", summary="Mine."))
    assert (content.method, content.summary, content.pipeline_tag) == ("seq_bn", "Mine.", "")
    assert content.labels == ()
    assert "print(logits)" in content.snippet


def test_one_language_or_several() -> None:
    assert as_languages("en") == ("en",)
    assert as_languages(["en", "de"]) == ("en", "de")
