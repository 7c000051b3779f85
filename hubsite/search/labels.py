"""What facet values are called on a page."""

from collections.abc import Iterable, Mapping

from hubsite.registry.models import Language, Task
from hubsite.search import file_sizes
from hubsite.search.document import Badge
from hubsite.search.request import FacetName

_BADGES = {Badge.VERIFIED.value: "Verified score", Badge.UNSCORED.value: "No score yet"}


def facet_labels(values: Mapping[FacetName, Iterable[str]]) -> dict[FacetName, dict[str, str]]:
    """Names of the given tasks and languages, of badges and sizes; other values speak for themselves."""
    tasks, languages = list(values.get(FacetName.TASK, ())), list(values.get(FacetName.LANGUAGE, ()))
    return {
        FacetName.TASK: dict(Task.objects.filter(slug__in=tasks).values_list("slug", "name")),
        FacetName.LANGUAGE: dict(Language.objects.filter(code__in=languages).values_list("code", "name")),
        FacetName.BADGE: _BADGES,
        FacetName.FILE_SIZE: file_sizes.LABELS,
    }
