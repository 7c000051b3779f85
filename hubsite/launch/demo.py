"""The demo: a backbone, an evaluation set, and two adapters that are trained and published like anybody's."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command

from hubsite.accounts.models import Scope, User
from hubsite.accounts.services.tokens import issue_token, revoke_token
from hubsite.accounts.services.users import create_user
from hubsite.core.clock import now
from hubsite.core.errors import HubError
from hubsite.launch.processes.child import Child, ChildSpec

OWNER = "demo"
_MARKER = "demo.prepared"
_EXAMPLE = Path("examples", "sentiment")
# Threads that wait sleep: on busy cores, threads that spin make each step many times as long.
_TWO_THREADS = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"}

Say = Callable[[str], object]


class DemoFailed(HubError):  # noqa: N818 - named as the errors of hubsite.core.errors are
    """The demo was not completed; the next start goes on where it stopped."""


def is_prepared(data_dir: Path) -> bool:
    """Whether an earlier start completed the demo."""
    return (data_dir / _MARKER).exists()


def prepare(root: Path, data_dir: Path, url: str, backbone: Path | None, say: Say) -> None:
    """Everything from the backbone to the predictions; what is there already is kept. Raises DemoFailed."""
    started = time.monotonic()
    with _part("the backbone", say):
        call_command("import_backbone", **({} if backbone is None else {"folder": backbone}))
    owner = User.objects.filter(username=OWNER).first() or create_user(OWNER)
    with _part("the evaluation set", say):
        call_command("import_suite", root / _EXAMPLE / "suite", namespace=OWNER)
    _train_and_publish(root, owner, url)
    (data_dir / _MARKER).touch()
    say(f"The demo is ready after {time.monotonic() - started:.1f} s.")


def _train_and_publish(root: Path, owner: User, url: str) -> None:
    """The example's script with a token of its own, over HTTP, as any user runs it."""
    issued = issue_token(
        owner, name="demo preparation", scope=Scope.WRITE, expires_at=now() + timedelta(hours=2)
    )
    environment = {"ADAPTER_HUB_ENDPOINT": url, "ADAPTER_HUB_TOKEN": issued.secret, **_TWO_THREADS}
    command = (sys.executable, str(root / _EXAMPLE / "train_and_publish.py"))
    script = Child(ChildSpec("example", command, log=None, environment=environment, lasting=False))
    try:
        script.wait()
    finally:
        script.kill_group()
        revoke_token(owner, issued.token.pk)
    if script.exit_code() != 0:
        raise DemoFailed("The demo's adapters were not published; the next start tries again.")


@contextmanager
def _part(name: str, say: Say) -> Iterator[None]:
    started = time.monotonic()
    yield
    say(f"  {time.monotonic() - started:5.1f} s  {name}")
