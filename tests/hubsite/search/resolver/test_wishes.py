import pytest

from hubsite.accounts.models import User
from hubsite.core.errors import BadInput, NotFound
from hubsite.registry.models import Backbone, Card, Language
from hubsite.search.resolver.wishes import Wishes, unmet
from tests.hubsite.search.made import BERT, MINILM, make_adapter

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(alice: User) -> Card:
    return Card.objects.get(commit=make_adapter(alice, "praise"))


def test_wishes_are_known_rows(card: Card) -> None:
    wishes = Wishes.parse("all-MiniLM-L6-v2", "EN")
    assert wishes == Wishes(Backbone.objects.get(name=MINILM), Language.objects.get(code="en"))
    assert Wishes.parse("", " ") == Wishes()


def test_what_nobody_knows_is_refused_with_what_there_is(card: Card, alice: User) -> None:
    make_adapter(alice, "secret", backbone=BERT, private=True)
    with pytest.raises(NotFound, match=f"there are adapters for: {MINILM}\\.$"):
        Wishes.parse("t5-base", "")
    with pytest.raises(NotFound, match=r"there are adapters for: en\.$"):
        Wishes.parse("", "klingon")


def test_two_wishes_must_agree(card: Card) -> None:
    other = Backbone.objects.create(name=BERT)
    mine = Wishes.parse(MINILM, "")
    assert mine.joined(Wishes()) == mine.joined(mine) == mine
    with pytest.raises(BadInput, match=BERT):
        mine.joined(Wishes(backbone=other))


def test_what_a_named_adapter_lacks_is_said(card: Card) -> None:
    other = Backbone.objects.create(name=BERT)
    assert unmet(card, Wishes.parse(MINILM, "en")) == ""
    assert unmet(card, Wishes(backbone=other)) == f"is made for {MINILM}, not for {BERT}"
    assert unmet(card, Wishes.parse("", "de")) == "reads en, not de"
