"""Content: blobs stored once, commits that list them, refs that point at commits."""

from django.db import models

from hubsite.accounts.models import User
from hubsite.core.clock import now
from hubsite.registry.models.repos import Repo


class Blob(models.Model):
    """Bytes in the blob store, under both identities that clients compare (hf_protocol 3.4, 3.6)."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    git_sha1 = models.CharField(max_length=40)
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)


class CommitState(models.TextChoices):
    RECEIVED = "received", "Received"
    VALIDATING = "validating", "Validating"
    PUBLISHED = "published", "Published"
    FAILED = "failed", "Failed"


class Commit(models.Model):
    """One immutable state of a repo's files."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="commits")
    sha = models.CharField(max_length=40)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.RESTRICT, related_name="children"
    )
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="commits")
    title = models.CharField(max_length=200)
    message = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=CommitState.choices, default=CommitState.RECEIVED)
    # One sentence for the owner when the state is `failed`.
    state_reason = models.TextField(blank=True)
    # Part of the sha, so it is set by whoever computes that.
    created_at = models.DateTimeField(default=now)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repo", "sha"], name="commit_unique_sha")]

    def __str__(self) -> str:
        return f"{self.repo_id}@{self.sha[:8]}"


class TreeEntry(models.Model):
    """A file of a commit. Folders are implied by paths."""

    commit = models.ForeignKey(Commit, on_delete=models.CASCADE, related_name="entries")
    path = models.CharField(max_length=512)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="entries")
    # Whether clients moved it as an LFS object: decides which digest is its ETag and oid.
    lfs = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["commit", "path"], name="tree_unique_path")]


class RefKind(models.TextChoices):
    BRANCH = "branch", "Branch"
    TAG = "tag", "Tag"


class Ref(models.Model):
    """A branch moves with commits; a tag never moves."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="refs")
    kind = models.CharField(max_length=6, choices=RefKind.choices)
    name = models.CharField(max_length=200)
    commit = models.ForeignKey(Commit, on_delete=models.RESTRICT, related_name="refs")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repo", "kind", "name"], name="ref_unique_name")]
