"""The state of an adapter as a word, a shape and a colour."""

from dataclasses import dataclass

from hubsite.registry.models import CommitState


@dataclass(frozen=True)
class BadgeView:
    """`name` is the CSS class `badge-…`; `icon` one of icons.py; `help` the sentence behind it."""

    name: str
    label: str
    icon: str
    help: str


VERIFIED = BadgeView("verified", "verified", "seal", "The hub measured its score itself.")
_UNSCORED = BadgeView(
    "published",
    "checked",
    "ring",
    "It loads and has an effect; its task has no evaluation set on this hub yet.",
)
_STATES = {
    CommitState.RECEIVED: BadgeView("received", "received", "ring", "It waits for its validation."),
    CommitState.VALIDATING: BadgeView("validating", "validating", "half", "The hub is checking it now."),
    CommitState.FAILED: BadgeView("failed", "failed", "cross", "It did not pass; the findings say why."),
}
PRIVATE = BadgeView("private", "private", "lock", "Only its owner sees it.")


def badge_of(state: str, *, scored: bool) -> BadgeView:
    """The badge of a commit in `state`; of published ones, those with a verified score stand out."""
    return _STATES.get(CommitState(state), VERIFIED if scored else _UNSCORED)
