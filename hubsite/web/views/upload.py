"""The upload form and what comes of it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from hubsite.core.errors import BadInput, Conflict, TooLarge
from hubsite.registry.models import Commit, RepoKind
from hubsite.validation.services.runs import open_run
from hubsite.web.errors import page
from hubsite.web.forms.upload import WANTED, UploadForm
from hubsite.web.numbers import file_size
from hubsite.web.uploads import upload as upload_files
from hubsite.web.visitor import signed_in

# Multipart headers and the other fields around the files.
_ENVELOPE = 1_000_000


# Exempt only until the size and the session have been looked at: the token stands in the body, and reading
# the body is what must not happen first. The real work below is protected.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@page
def upload(request: HttpRequest) -> HttpResponse:
    """Refuses what is too large before a byte of it is stored."""
    signed_in(request)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        raise BadInput("The request does not say how long it is.")
    if int(length) > settings.MAX_ADAPTER_SIZE + _ENVELOPE:
        limit = file_size(settings.MAX_ADAPTER_SIZE)
        raise TooLarge(
            f"An upload may have at most {limit}; an adapter without its backbone is much smaller."
        )
    return _upload(request)


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _show(request, UploadForm(initial={"name": request.GET.get("name", "")}), 200)
    form = UploadForm(request.POST, request.FILES)
    commit = _accept(request, form) if form.is_valid() else None
    if commit is None:
        return _show(request, form, 400)
    if commit.repo.kind != RepoKind.ADAPTER:
        # A whole model: the registry made it a backbone, and those are not validated.
        return redirect("adapter", namespace=commit.repo.namespace.name, name=commit.repo.name)
    # Opening twice gives the same run; equal files give the head they already are.
    return redirect("run", run_id=open_run(commit).id)


def _accept(request: HttpRequest, form: UploadForm) -> Commit | None:
    values = form.cleaned_data
    try:
        return upload_files(
            signed_in(request), name=values["name"], private=values["private"], files=values["contents"]
        )
    except (BadInput, Conflict, TooLarge) as error:
        form.add_error("name" if isinstance(error, Conflict) else None, error.message)
        return None


def _show(request: HttpRequest, form: UploadForm, status: int) -> HttpResponse:
    context = {"form": form, "wanted": WANTED, "limit": settings.MAX_ADAPTER_SIZE}
    return render(request, "upload/page.html", context, status=status)
