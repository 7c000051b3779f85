from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView
from ninja import NinjaAPI, Swagger

from hubsite.api import errors
from hubsite.api.plain_text import refuse_nul
from hubsite.api.routers import adapters, health, resolve, runs, search

api = NinjaAPI(
    title="Adapter hub",
    version="1",
    description="Find adapters, resolve their ids and follow their validation. Private ones need a token: "
    "`Authorization: Bearer ahub_…`.",
    urls_namespace="api",
    # Without it the page would show the description to an outside validator.
    docs=Swagger(settings={"validatorUrl": None}),
)
errors.register(api)
api.add_decorator(refuse_nul, mode="view")
for module in (search, resolve, adapters, runs, health):
    api.add_router("", module.router)

# Whoever types the API's address by hand wants to read about it.
documentation = RedirectView.as_view(pattern_name="api:openapi-view")

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1", documentation),
    path("api/v1/", documentation),
    path("api/v1/", api.urls),
    path("api/v1/<path:rest>", errors.no_such_route),
]
