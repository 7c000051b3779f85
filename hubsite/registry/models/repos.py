from django.db import models

from hubsite.accounts.models import Namespace


class RepoKind(models.TextChoices):
    ADAPTER = "adapter", "Adapter"
    BACKBONE = "backbone", "Backbone"
    DATASET = "dataset", "Evaluation set"


class Repo(models.Model):
    """A named, versioned folder. To stock clients adapters and backbones are both `models`."""

    namespace = models.ForeignKey(Namespace, on_delete=models.PROTECT, related_name="repos")
    name = models.CharField(max_length=96)
    # Case-folded name: ids are unique without regard to case (DESIGN.md 4.1).
    key = models.CharField(max_length=96)
    kind = models.CharField(max_length=10, choices=RepoKind.choices)
    # Datasets live beside models under the same names, as the model-hub protocol has it (section 1).
    is_dataset = models.BooleanField(default=False)
    private = models.BooleanField(default=False)
    downloads = models.PositiveBigIntegerField(default=0)
    likes = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["namespace", "key", "is_dataset"], name="repo_unique_name"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """`namespace/name`, in the spelling its owner chose."""
        return f"{self.namespace.name}/{self.name}"
