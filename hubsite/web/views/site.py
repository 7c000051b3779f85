"""Small files that browsers and crawlers ask for by fixed names."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe

_ROBOTS = "User-agent: *\nDisallow: /account/\nDisallow: /runs/\nDisallow: /tokens\nDisallow: /upload\n"


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers may read: everything public."""
    return HttpResponse(_ROBOTS, content_type="text/plain; charset=utf-8")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Old browsers ask for the icon here."""
    return redirect(static("favicon.svg"), permanent=True)
