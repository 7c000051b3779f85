from django.http import HttpRequest
from ninja import Query, Router

from hubsite.accounts.authentication import actor_from_request
from hubsite.api.schemas.fields import ErrorAnswer
from hubsite.api.schemas.runs import RunAnswer
from hubsite.core.errors import BadInput, NotFound
from hubsite.registry.selectors.repos import find_repo
from hubsite.registry.selectors.revisions import DEFAULT_BRANCH, find_commit
from hubsite.validation.models import Run
from hubsite.validation.selectors import RunView, find_run, run_view

router = Router(tags=["validation"])


@router.get("/runs/{run_id}", response={200: RunAnswer, 404: ErrorAnswer}, summary="One validation run")
def show_run(request: HttpRequest, run_id: str) -> RunView:
    """Its ten steps with their findings, and the scores it measured; poll it to follow a validation."""
    actor = actor_from_request(request)
    return run_view(find_run(actor, run_id), actor)


@router.get(
    "/runs",
    response={200: RunAnswer, 400: ErrorAnswer, 404: ErrorAnswer},
    summary="The validation run of a commit",
)
def show_run_of_commit(request: HttpRequest, repo: Query[str], revision: Query[str] = "") -> RunView:
    """`repo` is NAMESPACE/NAME, `revision` a sha, branch or tag, by default the newest commit of `main`."""
    actor = actor_from_request(request)
    namespace, slash, name = repo.partition("/")
    if not slash:
        raise BadInput(f"The repository {repo[:200]!r} has no namespace; write NAMESPACE/NAME.")
    commit = find_commit(
        find_repo(actor, is_dataset=False, namespace=namespace, name=name), revision or DEFAULT_BRANCH
    )
    run = Run.objects.select_related("commit__repo__namespace").filter(commit=commit).first()
    if run is None:
        raise NotFound(f"There is no validation run of {repo} at {commit.sha[:12]}.")
    return run_view(run, actor)
