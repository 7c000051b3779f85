"""Which backbone a user means: its upstream id, an alias, or the last part of its id."""

from hubsite.registry.models import Backbone


def find_backbone(text: str) -> Backbone | None:
    """The backbone called `text`, in any case; None if there is none or more than one could be meant."""
    wanted = text.strip().casefold()
    exact = Backbone.objects.filter(name__iexact=wanted).select_related("repo__namespace").first()
    if exact or not wanted:
        return exact
    others = list(Backbone.objects.values_list("pk", "name", "aliases"))
    named = [pk for pk, _, aliases in others if wanted in (str(alias).casefold() for alias in aliases)]
    named = named or [pk for pk, name, _ in others if name.casefold().rpartition("/")[2] == wanted]
    if len(named) != 1:
        return None
    return Backbone.objects.select_related("repo__namespace").get(pk=named[0])
