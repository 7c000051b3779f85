"""All routes: our API, the model-hub protocol, then the site's pages, whose patterns are the widest."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("hubsite.api.urls")),
    path("", include("hubsite.hfapi.urls")),
    path("", include("hubsite.web.urls")),
]

handler400 = "hubsite.web.errors.bad_request"
handler403 = "hubsite.web.errors.permission_denied"
handler404 = "hubsite.web.errors.page_not_found"
handler500 = "hubsite.web.errors.server_error"
