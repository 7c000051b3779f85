"""Routes of the model-hub protocol (hf_protocol section 3). Pages and /api/v1 are others'.

A repository's id may lack its namespace in a request (section 1); such ids match a route of their own and are
not found. It stands behind the others, so that a repository called `refs` or `tree` keeps its addresses.
"""

from django.urls import URLPattern, URLResolver, re_path

from hubsite.hfapi import names
from hubsite.hfapi.calls import endpoint, not_found
from hubsite.hfapi.views import (
    cards,
    commit,
    commits,
    identity,
    info,
    lfs,
    listing,
    preupload,
    refs,
    repositories,
    resolve,
    tree,
)

_ID = r"(?P<repo_id>[^/]+(?:/[^/]+)?)"
_TYPE = r"api/(?P<kind>models|datasets|spaces)"
_REPO = rf"^{_TYPE}/(?P<repo_id>[^/]+/[^/]+)"
_PARTS = "revision|tree|paths-info|commits|preupload|commit|refs|settings|auth-check"
# Revisions and paths may hold anything, line ends too: what does not exist is then not found in JSON.
_REVISION = r"(?P<revision>[\s\S]+)"
_REST = r"(?P<rest>[\s\S]+)"
# Pages of people and of the site itself are not repositories.
_FILES = rf"^(?!api/|accounts/|static/)(?:(?P<kind>datasets|spaces)/)?{_ID}"

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^api/whoami-v2\Z", endpoint(GET=identity.whoami)),
    re_path(r"^api/validate-yaml\Z", endpoint(POST=cards.validate_yaml)),
    re_path(r"^api/repos/create\Z", endpoint(POST=repositories.create)),
    re_path(r"^api/repos/delete\Z", endpoint(DELETE=repositories.delete)),
    re_path(rf"^{_TYPE}\Z", endpoint(GET=listing.listing)),
    re_path(rf"{_REPO}\Z", endpoint(GET=info.info)),
    re_path(rf"{_REPO}/revision/{_REVISION}\Z", endpoint(GET=info.info)),
    re_path(rf"{_REPO}/tree/{_REST}\Z", endpoint(GET=tree.tree)),
    re_path(rf"{_REPO}/paths-info/{_REVISION}\Z", endpoint(POST=tree.paths_info)),
    re_path(rf"{_REPO}/commits/{_REVISION}\Z", endpoint(GET=commits.commits)),
    re_path(rf"{_REPO}/preupload/{_REVISION}\Z", endpoint(POST=preupload.preupload)),
    re_path(rf"{_REPO}/commit/{_REVISION}\Z", endpoint(POST=commit.commit)),
    re_path(rf"{_REPO}/refs\Z", endpoint(GET=refs.refs)),
    re_path(rf"{_REPO}/settings\Z", endpoint(PUT=repositories.settings)),
    re_path(rf"{_REPO}/auth-check(?:/(?P<write>write))?\Z", endpoint(GET=identity.auth_check)),
    re_path(
        rf"^{_TYPE}/(?P<repo_id>[^/]+)(?:/(?:{_PARTS})(?:/[\s\S]*)?)?\Z",
        endpoint(GET=names.nameless, POST=names.nameless, PUT=names.nameless),
    ),
    re_path(
        r"^api/(?!v1(?:/|\Z))",
        endpoint(**dict.fromkeys(("GET", "POST", "PUT", "DELETE", "PATCH"), not_found)),
    ),
    re_path(rf"{_FILES}\.git/info/lfs/objects/batch\Z", endpoint(POST=lfs.batch)),
    re_path(rf"{_FILES}\.git/info/lfs/objects/verify\Z", endpoint(POST=lfs.verify)),
    re_path(rf"{_FILES}\.git/info/lfs/objects/(?P<oid>[0-9a-f]{{64}})\Z", endpoint(GET=lfs.get, PUT=lfs.put)),
    re_path(rf"{_FILES}/resolve/{_REST}\Z", endpoint(GET=resolve.resolve)),
]
