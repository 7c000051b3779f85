"""Which backbone a user means: its upstream id, an alias, or the last part of its id."""

from hubsite.registry.models import Backbone
from hubsite.registry.selectors.backbones import by_name


def find_backbone(text: str) -> Backbone | None:
    """The backbone called `text`, in any case; None if there is none or more than one could be meant."""
    wanted = text.strip()
    if not wanted:
        return None
    known = by_name(wanted)
    if known is not None:
        return known
    named = Backbone.objects.filter(name__iendswith=f"/{wanted}")[:2]
    return named[0] if len(named) == 1 else None
