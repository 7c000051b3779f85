"""One adapter with everything that is known of it at one commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hubsite.accounts.actors import Actor
from hubsite.accounts.permissions import Permission, allows
from hubsite.registry.models import Card, Commit, CommitState, Repo
from hubsite.search.builder import version_tags
from hubsite.search.document import VerifiedScore
from hubsite.search.resolver.answer import BackboneRef, Candidate, ResolvedFile
from hubsite.search.resolver.candidates import candidates, files
from hubsite.search.resolver.names import adapter_card, find_adapter, readable_commit
from hubsite.validation.models import Run
from hubsite.validation.selectors import may_see

# Enough for every page; a repo with more is walked through the model-hub protocol.
_MAX_VERSIONS = 100


@dataclass(frozen=True)
class Version:
    """A commit on the way or published; `version` is its tag `v1`, `v2`, …"""

    revision: str
    version: str | None
    state: str
    title: str
    created_at: datetime
    published_at: datetime | None


@dataclass(frozen=True)
class AdapterDetail:
    """See the fields of Hit; `card` is Markdown, `run` the validation run's id if the actor may see it."""

    id: str
    namespace: str
    name: str
    private: bool
    revision: str
    version: str | None
    state: str
    state_reason: str
    task: str | None
    dataset: str | None
    languages: tuple[str, ...]
    backbone: BackboneRef | None
    method: str | None
    config: Mapping[str, Any]
    config_hash: str | None
    license: str | None
    parameters: int | None
    weights_sha256: str | None
    weights_size: int | None
    score: VerifiedScore | None
    claims: list[Any]
    summary: str
    card: str
    warnings: list[str]
    files: tuple[ResolvedFile, ...]
    versions: tuple[Version, ...]
    run: str | None
    load: str
    downloads: int
    likes: int
    created_at: datetime
    published_at: datetime | None


def adapter_detail(actor: Actor, namespace: str, name: str, revision: str = "") -> AdapterDetail:
    """The adapter at `revision`, by default its latest published commit. Raises NotFound."""
    repo = find_adapter(actor, namespace, name)
    commit = readable_commit(actor, repo, revision.strip())
    card = adapter_card(commit)
    return _detail(repo, card, candidates(actor, [card])[0], _versions(actor, repo), _run_id(actor, commit))


def _detail(
    repo: Repo, card: Card, at: Candidate, versions: tuple[Version, ...], run: str | None
) -> AdapterDetail:
    commit = card.commit
    return AdapterDetail(
        id=at.id,
        namespace=repo.namespace.name,
        name=repo.name,
        private=repo.private,
        revision=at.revision,
        version=at.version,
        state=at.state,
        state_reason=commit.state_reason,
        task=at.task,
        dataset=at.dataset,
        languages=at.languages,
        backbone=at.backbone,
        method=at.method,
        config=card.config,
        config_hash=card.config_hash or None,
        license=card.license or None,
        parameters=card.parameters,
        weights_sha256=card.weights_sha256 or None,
        weights_size=card.weights_size,
        score=at.score,
        claims=card.claims,
        summary=card.summary,
        card=card.body,
        warnings=card.warnings,
        files=files(commit),
        versions=versions,
        run=run,
        load=f'adapter_lib.load("hub:{at.id}@{at.version or at.revision}")',
        downloads=repo.downloads,
        likes=repo.likes,
        created_at=commit.created_at,
        published_at=commit.published_at,
    )


def _versions(actor: Actor, repo: Repo) -> tuple[Version, ...]:
    commits = repo.commits.order_by("-pk")
    if not allows(actor, Permission.WRITE_REPO, repo):
        commits = commits.exclude(state=CommitState.FAILED)
    shown = list(commits[:_MAX_VERSIONS])
    tags = version_tags([commit.pk for commit in shown])
    return tuple(
        Version(
            revision=commit.sha,
            version=tags.get(commit.pk),
            state=commit.state,
            title=commit.title,
            created_at=commit.created_at,
            published_at=commit.published_at,
        )
        for commit in shown
    )


def _run_id(actor: Actor, commit: Commit) -> str | None:
    run = Run.objects.select_related("commit__repo__namespace").filter(commit=commit).first()
    return str(run.id) if run and may_see(actor, run) else None
