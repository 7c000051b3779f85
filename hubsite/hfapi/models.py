"""What LFS uploads leave behind until a commit names them."""

from django.db import models

from hubsite.accounts.models import User
from hubsite.registry.models import Blob, Repo


class LfsUpload(models.Model):
    """Proof that somebody sent these bytes to this repository.

    Blobs are shared by all repositories, so a hash alone must not be enough to commit one: whoever learns the
    hash of a private file could read it that way.
    """

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="+")
    blob = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repo", "blob"], name="lfs_upload_unique")]
