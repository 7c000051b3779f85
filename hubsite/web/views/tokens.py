"""A user's API tokens: made, shown once, revoked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from hubsite.accounts.models import Scope, Token, User
from hubsite.accounts.services.tokens import IssuedToken, issue_token, revoke_token
from hubsite.core.clock import now
from hubsite.core.errors import BadInput
from hubsite.web.errors import page
from hubsite.web.forms.tokens import TokenForm
from hubsite.web.visitor import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@page
def tokens(request: HttpRequest) -> HttpResponse:
    """The list and the form; the answer to a POST shows the new secret, the only time ever."""
    user = signed_in(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    issued = _issue(user, form) if request.method == "POST" and form.is_valid() else None
    status = 400 if request.method == "POST" and issued is None else 200
    if issued is not None:
        form = TokenForm()
    context = {"form": form, "issued": issued, "tokens": _live(user), "now": now()}
    return render(request, "tokens/page.html", context, status=status)


@require_POST
@page
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Ends a token for good."""
    revoke_token(signed_in(request), token_id)
    return redirect("tokens")


def _issue(user: User, form: TokenForm) -> IssuedToken | None:
    values = form.cleaned_data
    try:
        return issue_token(
            user, name=values["name"], scope=Scope(values["scope"]), expires_at=form.expires_at()
        )
    except BadInput as error:
        form.add_error(None, error.message)
        return None


def _live(user: User) -> list[Token]:
    return list(Token.objects.filter(user=user, revoked_at=None).order_by("-created_at", "-pk"))
