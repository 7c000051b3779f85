"""Validation: suites to measure on, runs with their steps and findings, and the scores that come out."""

import uuid

from django.db import models

from hubsite.registry.models import Backbone, Commit, Repo, Task
from hubsite.validation.choices import BaselineKind, RunStatus, Severity, StepStatus

__all__ = [
    "Baseline",
    "BaselineKind",
    "Finding",
    "Run",
    "RunStatus",
    "Score",
    "Severity",
    "Step",
    "StepStatus",
    "Suite",
]


class Suite(models.Model):
    """An evaluation set at one exact commit, with its metric and protocol."""

    slug = models.SlugField(max_length=80)
    version = models.PositiveIntegerField(default=1)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="suites")
    repo = models.ForeignKey(Repo, on_delete=models.PROTECT, related_name="suites")
    commit = models.ForeignKey(Commit, on_delete=models.PROTECT, related_name="suites")
    protocol = models.CharField(max_length=40)
    metric = models.CharField(max_length=40)
    labels = models.JSONField()
    # Only the current version of a slug is used for new runs; old scores keep pointing at theirs.
    current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["slug", "version"], name="suite_unique_version")]

    def __str__(self) -> str:
        return f"{self.slug} v{self.version}"


class Run(models.Model):
    """One validation of one commit. This row is the truth; a queue message is only a wake-up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    commit = models.OneToOneField(Commit, on_delete=models.CASCADE, related_name="run")
    status = models.CharField(max_length=8, choices=RunStatus.choices, default=RunStatus.QUEUED)
    # Who holds it: a random word written by the conditional update that claimed it.
    claim = models.CharField(max_length=32, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    # When the queue was last told; a message may be lost, the row is not.
    woken_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "heartbeat_at"], name="run_status_heartbeat")]


class Step(models.Model):
    """One of the ten steps of DESIGN.md section 5."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=20)
    status = models.CharField(max_length=8, choices=StepStatus.choices, default=StepStatus.PENDING)
    started_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    log = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="step_unique_number")]


class Finding(models.Model):
    """Something a check saw. Its sentence is made from `code` and `detail` (validation/sentences.py)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="findings")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="findings")
    code = models.CharField(max_length=60)
    severity = models.CharField(max_length=7, choices=Severity.choices)
    path = models.CharField(max_length=512, blank=True)
    detail = models.JSONField(default=dict, blank=True)


class Baseline(models.Model):
    """What the bare backbone reaches on a suite: measured once, shared by all scores beside it."""

    suite = models.ForeignKey(Suite, on_delete=models.CASCADE, related_name="baselines")
    backbone = models.ForeignKey(Backbone, on_delete=models.CASCADE, related_name="baselines")
    # The backbone commit it was measured on.
    backbone_sha = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=10, choices=BaselineKind.choices)
    value = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    examples = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["suite", "backbone", "backbone_sha", "kind"], name="baseline_unique"
            ),
        ]


class Score(models.Model):
    """A number the hub measured for one commit on one suite. Values are fractions from 0 to 1."""

    commit = models.ForeignKey(Commit, on_delete=models.CASCADE, related_name="scores")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="scores")
    suite = models.ForeignKey(Suite, on_delete=models.PROTECT, related_name="scores")
    metric = models.CharField(max_length=40)
    value = models.FloatField()
    # 95 % bootstrap interval.
    low = models.FloatField()
    high = models.FloatField()
    examples = models.PositiveIntegerField()
    examples_per_second = models.FloatField()
    device = models.CharField(max_length=40)
    majority = models.FloatField()
    probe = models.FloatField()
    # What the author claimed for the same metric, if anything.
    claimed = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["commit", "suite"], name="score_unique_suite")]
