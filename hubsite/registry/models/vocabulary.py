"""The typed words adapters are indexed by."""

from django.db import models

from hubsite.registry.models.repos import Repo


class Task(models.Model):
    """What an adapter is for, e.g. `sentiment`. Slugs are reserved as namespaces."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.slug


class Language(models.Model):
    """A language by its BCP-47 primary tag (ISO 639-1, else 639-3)."""

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.code


class Backbone(models.Model):
    """A pretrained model that adapters are made for, by its upstream id."""

    name = models.CharField(max_length=200, unique=True)
    # Other spellings of the same model, e.g. `bert-base-uncased` of `google-bert/bert-base-uncased`.
    aliases = models.JSONField(default=list, blank=True)
    # The hub's own copy, if it has one.
    repo = models.OneToOneField(
        Repo, null=True, blank=True, on_delete=models.SET_NULL, related_name="backbone"
    )
    model_type = models.CharField(max_length=60, blank=True)
    hidden_size = models.PositiveIntegerField(null=True, blank=True)
    num_layers = models.PositiveIntegerField(null=True, blank=True)
    parameters = models.PositiveBigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
