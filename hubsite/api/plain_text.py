"""No database stores NUL, so nothing that is asked for can contain it; said once, for every operation."""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from hubsite.api.errors import answer

View = Callable[..., HttpResponse]


def refuse_nul(view: View) -> View:
    """The operation, answering 400 where a path or query parameter has a NUL character."""

    @functools.wraps(view)
    def checked(request: HttpRequest, **parameters: str) -> HttpResponse:
        queried = (value for values in request.GET.lists() for value in values[1])
        if any("\0" in value for value in (*parameters.values(), *queried)):
            return answer(400, "bad_input", "A parameter has a NUL character; leave it out.")
        return view(request, **parameters)

    return checked
