"""Progress bars as huggingface_hub draws them, so that its switches turn ours off too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from huggingface_hub import utils


@contextmanager
def step_bar(title: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """A bar of `total` steps; call what it gives with the number done and the name of the step in work."""
    # The class is exported lazily and has no types.
    tqdm: Any = utils.tqdm  # type: ignore[attr-defined]
    with tqdm(total=total, desc=title, unit=" steps", name="adapter_lib.validation") as bar:

        def show(done: int, current: str) -> None:
            bar.set_postfix_str(current, refresh=False)
            bar.n = done
            bar.refresh()

        yield show
