"""Everything an adapter's page shows of one version."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import Permission, allows
from hubsite.registry.models import Card, Commit, CommitState, Repo
from hubsite.registry.selectors.trees import FileItem, list_tree
from hubsite.validation.models import Run
from hubsite.validation.selectors import RunView, may_see, run_view
from hubsite.web.card_text import render
from hubsite.web.drawings.glyph import glyph
from hubsite.web.viewmodels.badges import PRIVATE, BadgeView, badge_of
from hubsite.web.viewmodels.facts import Fact, facts_of
from hubsite.web.viewmodels.methods import MethodView, method_view
from hubsite.web.viewmodels.score_lines import ScoreFigure, figure_of
from hubsite.web.viewmodels.snippets import code_for, two_lines
from hubsite.web.viewmodels.versions import VersionRow, version_rows


@dataclass(frozen=True)
class AdapterView:
    """`lines` and `snippet` are empty unless it is published; `run` is None where there is none to see."""

    repo: Repo
    commit: Commit
    summary: str
    badges: tuple[BadgeView, ...]
    facts: list[Fact]
    glyph: SafeString
    glyph_words: str
    lines: str
    snippet: str
    figures: list[ScoreFigure]
    body: SafeString
    warnings: list[str]
    files: list[FileItem]
    files_url: str
    versions: list[VersionRow]
    run: RunView | None

    @property
    def newer_failure(self) -> VersionRow | None:
        """For the owner: the newest version, if it failed and is not the one shown."""
        newest = self.versions[0] if self.versions else None
        return newest if newest and newest.reason and not newest.current else None


def adapter_view(actor: Actor, repo: Repo, commit: Commit, *, adapter_id: str, endpoint: str) -> AdapterView:
    """The page of `commit`; the actor may see it. `adapter_id` is what the snippet loads."""
    owns = allows(actor, Permission.WRITE_REPO, repo)
    card = _card(commit)
    method = _method(card)
    files = [item for item in list_tree(commit, recursive=True) if isinstance(item, FileItem)]
    run = _run(actor, commit)
    files_url = reverse("browse") + f"{repo.full_name}/resolve/{commit.sha}/"
    scores = run.scores if run else ()
    badges = (badge_of(commit.state, scored=bool(scores)), *([PRIVATE] if repo.private else []))
    published = commit.state == CommitState.PUBLISHED
    task = card.task.slug if card.task else ""
    return AdapterView(
        repo=repo,
        commit=commit,
        summary=card.summary,
        badges=badges,
        facts=facts_of(repo, card, method, backbone_visible=_sees_backbone(actor, card)),
        glyph=glyph(method.facts, large=True),
        glyph_words=method.facts.words,
        lines=two_lines(adapter_id, endpoint) if published else "",
        snippet=code_for(adapter_id, task, files, endpoint) if published else "",
        figures=[figure_of(score, method.hue) for score in scores],
        body=render(_without(card.summary, card.body), files_url),
        warnings=list(card.warnings) if owns else [],
        files=files,
        files_url=files_url,
        versions=version_rows(repo, commit, all_states=owns),
        run=run,
    )


def _card(commit: Commit) -> Card:
    """The version's card, or an empty one (unsaved) for a version whose files make none."""
    found = (
        Card.objects.filter(commit=commit)
        .select_related("task", "backbone__repo__namespace")
        .prefetch_related("languages")
        .first()
    )
    return found or Card(pk=0, commit=commit)


def _without(summary: str, body: str) -> str:
    """The card's text without the paragraph that the head of the page shows already."""
    text = body.lstrip()
    rest = text.removeprefix(summary)
    return rest if rest.startswith(("\n\n", "\r\n\r\n")) or not rest else text


def _method(card: Card) -> MethodView:
    return method_view(card.method, card.config, card.backbone.num_layers if card.backbone else None)


def _sees_backbone(actor: Actor, card: Card) -> bool:
    repo = card.backbone.repo if card.backbone else None
    return repo is not None and allows(actor, Permission.READ_REPO, repo)


def _run(actor: Actor, commit: Commit) -> RunView | None:
    run = Run.objects.filter(commit=commit).first()
    if run is None:
        return None
    run.commit = commit
    return run_view(run, actor) if may_see(actor, run) else None
