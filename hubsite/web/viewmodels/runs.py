"""How far a run has come, in one sentence and one mark."""

import hashlib
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from hubsite.validation.selectors import FindingView, RunView
from hubsite.web.numbers import duration
from hubsite.web.viewmodels.snippets import two_lines


@dataclass(frozen=True)
class Progress:
    """`mark` changes whenever the page would; `lines` are the code that loads a published adapter."""

    headline: str
    sentence: str
    mark: str
    errors: tuple[FindingView, ...]
    others: tuple[FindingView, ...]
    adapter_url: str
    retry_url: str
    lines: str


def progress_of(run: RunView, request: HttpRequest) -> Progress:
    """The run's state for its page at this address."""
    headline, sentence = _words(run)
    namespace, _, name = run.repo.partition("/")
    return Progress(
        headline=headline,
        sentence=sentence,
        mark=_mark(run),
        errors=tuple(one for one in run.findings if one.severity == "error"),
        others=tuple(one for one in run.findings if one.severity != "error"),
        adapter_url=reverse("adapter", args=[namespace, name]),
        retry_url=f"{reverse('upload')}?name={name}",
        lines=two_lines(run.repo, request.build_absolute_uri("/").rstrip("/")),
    )


def _words(run: RunView) -> tuple[str, str]:
    match run.status:
        case "passed":
            return "Published", f"All {len(run.steps)} steps passed{_took(run)}."
        case "failed":
            return "Not published", "The validation found a fault. Nobody but you can see this version."
        case "dead":
            return (
                "Stopped",
                "The hub could not finish this validation, and that is not your fault. Staff must look.",
            )
        case "queued":
            return "Waiting", "The validation starts as soon as a worker is free."
    current = next((step for step in run.steps if step.status == "running"), None)
    at = f", now: {current.title.lower()}" if current else ""
    return "Validating", f"{run.steps_done} of {len(run.steps)} steps done{at}."


def _took(run: RunView) -> str:
    total = sum(step.duration_ms or 0 for step in run.steps)
    return f" in {duration(total)}" if total else ""


def _mark(run: RunView) -> str:
    seen = [run.status, len(run.findings), *((step.status, len(step.log)) for step in run.steps)]
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:12]
