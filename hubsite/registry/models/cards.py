from django.db import models

from hubsite.registry.models.content import Commit
from hubsite.registry.models.vocabulary import Backbone, Language, Task


class Card(models.Model):
    """What one commit of an adapter says of itself: front matter and configuration, parsed and typed."""

    commit = models.OneToOneField(Commit, on_delete=models.CASCADE, related_name="card")
    summary = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    license = models.CharField(max_length=60, blank=True)
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.PROTECT, related_name="cards")
    dataset = models.CharField(max_length=120, blank=True)
    languages = models.ManyToManyField(Language, blank=True, related_name="cards")
    backbone = models.ForeignKey(
        Backbone, null=True, blank=True, on_delete=models.PROTECT, related_name="cards"
    )
    backbone_revision = models.CharField(max_length=64, blank=True)
    # The registered method name (`lora`, `seq_bn`, …) and its whole configuration.
    method = models.CharField(max_length=40, blank=True)
    config = models.JSONField(default=dict, blank=True)
    # SHA-256 of the canonical configuration with its class; equal hashes are equal methods.
    config_hash = models.CharField(max_length=64, blank=True)
    # Trained parameters, head excluded; known from the weights' header.
    parameters = models.PositiveBigIntegerField(null=True, blank=True)
    weights_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    weights_size = models.PositiveBigIntegerField(null=True, blank=True)
    # What the author claims: [{"metric": "accuracy", "value": 0.91, "dataset": "…"}].
    claims = models.JSONField(default=list, blank=True)
    # Sentences about front matter that could not be used; shown to the owner.
    warnings = models.JSONField(default=list, blank=True)
