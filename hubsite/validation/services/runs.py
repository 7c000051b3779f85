"""The services of a run under one name: `runs.claim(...)`, `runs.finish(...)`."""

from hubsite.validation.services.claims import Claim, ClaimLost, claim, heartbeat
from hubsite.validation.services.finishing import finish
from hubsite.validation.services.opening import open_run
from hubsite.validation.services.progress import add_finding, append_log, finish_step, start_step
from hubsite.validation.services.release import hand_back, release_of, release_stale, retry_later

__all__ = [
    "Claim",
    "ClaimLost",
    "add_finding",
    "append_log",
    "claim",
    "finish",
    "finish_step",
    "hand_back",
    "heartbeat",
    "open_run",
    "release_of",
    "release_stale",
    "retry_later",
    "start_step",
]
