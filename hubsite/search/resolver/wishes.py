"""What is asked of an adapter besides its name: the backbone it runs on and the language it reads."""

from dataclasses import dataclass
from typing import Self, TypeVar

from django.db.models import Q

from hubsite.core.errors import BadInput, NotFound
from hubsite.registry.models import Backbone, Card, Language
from hubsite.search.backbones import find_backbone
from hubsite.search.builder import published_cards
from hubsite.search.resolver.sentences import listing

_Wish = TypeVar("_Wish", Backbone, Language)


@dataclass(frozen=True)
class Wishes:
    """Known rows, so that a misspelled wish is refused instead of finding nothing."""

    backbone: Backbone | None = None
    language: Language | None = None

    @classmethod
    def parse(cls, backbone: str, language: str) -> Self:
        """Raises NotFound with what exists, for a backbone or language that this hub does not know."""
        return cls(
            backbone=_backbone(backbone.strip()) if backbone.strip() else None,
            language=_language(language.strip()) if language.strip() else None,
        )

    def joined(self, other: Self) -> Self:
        """Both wishes. Raises BadInput where they ask for different things."""
        return type(self)(
            backbone=_agreed(self.backbone, other.backbone), language=_agreed(self.language, other.language)
        )


def _agreed(one: _Wish | None, other: _Wish | None) -> _Wish | None:
    if one and other and one.pk != other.pk:
        raise BadInput(f"The id asks for {other} and the request for {one}; give only one of them.")
    return one or other


def _backbone(text: str) -> Backbone:
    found = find_backbone(text)
    if found is None:
        known = listing(_public_values("backbone__name")) or "none yet"
        raise NotFound(
            f"No adapter here is made for the backbone {text[:200]!r}; there are adapters for: {known}."
        )
    return found


def _language(text: str) -> Language:
    found = Language.objects.filter(Q(code__iexact=text) | Q(name__iexact=text)).order_by("code").first()
    if found is None:
        known = listing(_public_values("languages__code")) or "none yet"
        raise NotFound(f"There is no language {text[:80]!r} here; there are adapters for: {known}.")
    return found


def _public_values(field: str) -> list[str]:
    """What the public adapters have in `field`."""
    cards = published_cards().filter(commit__repo__private=False)
    return sorted({value for value in cards.values_list(field, flat=True) if value})


def unmet(card: Card, wishes: Wishes) -> str:
    """Which wish an adapter that was named does not meet, as the end of a sentence; "" if it meets all."""
    if wishes.backbone and card.backbone_id != wishes.backbone.pk:
        made_for = card.backbone.name if card.backbone else "no known backbone"
        return f"is made for {made_for}, not for {wishes.backbone.name}"
    languages = sorted(language.code for language in card.languages.all())
    if wishes.language and wishes.language.code not in languages:
        return f"reads {listing(languages) or 'no declared language'}, not {wishes.language.code}"
    return ""
