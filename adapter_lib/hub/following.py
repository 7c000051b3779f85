"""Following a validation to its end, with a bar of its steps."""

import time
from collections.abc import Callable

from adapter_lib.hub.answers import PUBLISHED, RunState, read, run_state
from adapter_lib.hub.client import get_json
from adapter_lib.hub.errors import PublishError
from adapter_lib.hub.progress import step_bar
from adapter_lib.hub.settings import Hub

DEAD = "dead"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0


def find_run(hub: Hub, repo_id: str, revision: str) -> RunState:
    """How the validation of a revision stands. Raises HubError."""
    return read(hub, get_json(hub, "runs", {"repo": repo_id, "revision": revision}), run_state)


def follow(
    hub: Hub,
    repo_id: str,
    revision: str,
    timeout: float,
    sleep: Callable[[float], None] = time.sleep,
) -> RunState:
    """Wait, at most `timeout` seconds, until the validation is finished, and show how far it is.

    Raises PublishError if it takes longer, HubError if the hub stops answering.
    """
    deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
    run = find_run(hub, repo_id, revision)
    with step_bar(f"Validating {repo_id}", len(run.steps)) as show:
        show(run.steps_done, run.current)
        while not run.is_finished:
            if time.monotonic() + pause > deadline:
                raise PublishError(
                    f"{repo_id} is uploaded, but its validation is not finished after {timeout:g} seconds "
                    f"({run.steps_done} of {len(run.steps)} steps): see {hub.endpoint}/runs/{run.id}."
                )
            sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            run = find_run(hub, repo_id, revision)
            show(run.steps_done, run.current)
    return run


def require_published(hub: Hub, repo_id: str, run: RunState) -> None:
    """Raises PublishError with the hub's findings if the validation did not end well."""
    if run.state == PUBLISHED:
        return
    page = f"{hub.endpoint}/runs/{run.id}"
    if run.status == DEAD:
        raise PublishError(
            f"The hub could not finish the validation of {repo_id}; its staff must look at {page}."
        )
    reasons = " ".join(f"({number}) {text}" for number, text in enumerate(run.findings, 1))
    raise PublishError(f"{repo_id} did not pass validation, see {page}: {reasons}", run.findings)
