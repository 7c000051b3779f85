"""Who acts on the hub: users, the namespaces they publish under, and their tokens."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q


class User(AbstractUser):
    """A person. `username` is also the name of their own namespace."""


class Namespace(models.Model):
    """The first half of `namespace/name`. Every user owns one of their own name."""

    name = models.CharField(max_length=40)
    # Case-folded: ids are unique without regard to case (DESIGN.md 4.1).
    key = models.CharField(max_length=40, unique=True)
    # What is left when look-alike characters are made the same (names/skeleton.py).
    skeleton = models.CharField(max_length=40, unique=True)
    owner = models.OneToOneField(User, on_delete=models.PROTECT, related_name="namespace")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    READ = "read", "Read"
    WRITE = "write", "Read and write"


class Token(models.Model):
    """An API token. Only the SHA-256 of its secret is kept; the secret is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    # The first characters of the secret, so that its owner can tell tokens apart.
    hint = models.CharField(max_length=16)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(scope__in=["read", "write"]), name="token_scope_known"),
        ]

    def __str__(self) -> str:
        return f"{self.hint}… ({self.scope})"
