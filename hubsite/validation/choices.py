"""Words for runs, steps, findings and baselines. No models here: checks use them without Django."""

from django.db.models import TextChoices


class RunStatus(TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    # The hub's own fault after all retries; staff must look.
    DEAD = "dead", "Stopped"


class StepStatus(TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"


class Severity(TextChoices):
    INFO = "info", "Note"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"


class BaselineKind(TextChoices):
    MAJORITY = "majority", "Majority class"
    PROBE = "probe", "Linear probe on the bare backbone"
