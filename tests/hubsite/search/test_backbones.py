import pytest

from hubsite.registry.models import Backbone
from hubsite.search.backbones import find_backbone

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("google-bert/bert-base-uncased", "google-bert/bert-base-uncased"),
        ("Google-BERT/bert-base-uncased", "google-bert/bert-base-uncased"),
        ("bert-base", "google-bert/bert-base-uncased"),
        ("bert-base-uncased", "google-bert/bert-base-uncased"),
        (" gpt2 ", "gpt2"),
        ("twin", None),
        ("base-uncased", None),
        ("", None),
    ],
)
def test_the_words_for_a_backbone(text: str, name: str | None) -> None:
    Backbone.objects.create(name="google-bert/bert-base-uncased", aliases=["bert-base"])
    for other in ("gpt2", "one/twin", "two/twin"):
        Backbone.objects.create(name=other)
    found = find_backbone(text)
    assert (found.name if found else None) == name
