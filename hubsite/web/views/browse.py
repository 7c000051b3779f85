"""Home: every published adapter, searched, narrowed and sorted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hubsite.search.builder import published_cards
from hubsite.search.queries import search
from hubsite.web.errors import page
from hubsite.web.viewmodels.browse import BrowseState
from hubsite.web.viewmodels.facets import chosen_links, facet_groups
from hubsite.web.viewmodels.rows import rows_of
from hubsite.web.visitor import actor_of


@require_safe
@page
def browse(request: HttpRequest) -> HttpResponse:
    """The list; its whole state is in the address."""
    state = BrowseState.parse(request.GET)
    found = search(state.request(actor_of(request)))
    context = {
        "state": state,
        "found": found,
        "rows": rows_of(found.hits),
        "facets": facet_groups(found.facets, state),
        "chosen": chosen_links(found.facets, state),
        "pages": state.pages(found.pages) if found.pages > 1 else [],
        "is_indexing": found.total == 0 and state.is_empty and _anything_to_find(),
        "search_text": state.text,
        "search_kept": state.kept(),
    }
    return render(request, "browse/page.html", context)


def _anything_to_find() -> bool:
    """Whether an empty list means that the index is not there (yet), rather than that the hub is empty."""
    return published_cards().filter(commit__repo__private=False).exists()
