"""A validation as it happens, and as evidence afterwards."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hubsite.validation.selectors import find_run, run_view
from hubsite.web.errors import page
from hubsite.web.viewmodels.runs import progress_of
from hubsite.web.visitor import actor_of

# htmx stops asking when it gets this status.
_STOP_POLLING = 286
_NO_CHANGE = 204


@require_safe
@never_cache
@page
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The whole page; without JavaScript it reloads itself while the run goes on."""
    actor = actor_of(request)
    view = run_view(find_run(actor, str(run_id)), actor)
    return render(request, "runs/page.html", {"run": view, "progress": progress_of(view, request)})


@require_safe
@never_cache
@page
def trail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The part that changes, asked for every second; empty while nothing has changed since `seen`."""
    actor = actor_of(request)
    view = run_view(find_run(actor, str(run_id)), actor)
    progress = progress_of(view, request)
    if not view.finished and request.GET.get("seen") == progress.mark:
        return HttpResponse(status=_NO_CHANGE)
    context = {"run": view, "progress": progress, "is_fragment": True}
    return render(request, "runs/trail.html", context, status=_STOP_POLLING if view.finished else 200)
