"""Finding backbones."""

from hubsite.registry.models import Backbone


def by_name(name: str) -> Backbone | None:
    """The backbone of this upstream id or alias, in any case; None if there is none."""
    exact = Backbone.objects.filter(name__iexact=name).first()
    if exact is not None:
        return exact
    # JSON lists cannot be searched alike on all databases, and only backbones with aliases are looked at.
    wanted = name.casefold()
    for backbone in Backbone.objects.exclude(aliases=[]):
        if wanted in (str(alias).casefold() for alias in backbone.aliases):
            return backbone
    return None
