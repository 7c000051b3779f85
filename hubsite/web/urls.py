"""The pages. Every first word here is reserved as a namespace (accounts/names/reserved.py)."""

from allauth.account.views import signup
from django.urls import URLPattern, URLResolver, include, path

from hubsite.web.errors import page
from hubsite.web.views import adapter, browse, runs, site, tokens, upload

urlpatterns: list[URLPattern | URLResolver] = [
    path("", browse.browse, name="browse"),
    path("robots.txt", site.robots, name="robots"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("upload", upload.upload, name="upload"),
    path("tokens", tokens.tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke", tokens.revoke, name="revoke_token"),
    path("runs/<uuid:run_id>", runs.run, name="run"),
    path("runs/<uuid:run_id>/trail", runs.trail, name="run_trail"),
    # A name taken in the same moment raises a domain error, which allauth does not know.
    path("account/signup/", page(signup), name="account_signup"),
    path("account/", include("allauth.account.urls")),
    path("datasets/<str:namespace>/<str:name>", adapter.dataset, name="dataset"),
    path("datasets/<str:namespace>/<str:name>/<path:revision>", adapter.dataset, name="dataset"),
    path("<str:namespace>/<str:name>", adapter.adapter, name="adapter"),
    path("<str:namespace>/<str:name>/<path:revision>", adapter.adapter, name="adapter"),
]
