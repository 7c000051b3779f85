"""The ten steps of a run, in order (DESIGN.md section 5)."""

from enum import StrEnum


class StepName(StrEnum):
    """A step's stable name; its place in this list is its number."""

    LAYOUT = "layout"
    FORMAT = "format"
    HEADER = "header"
    CONFIG = "config"
    TENSORS = "tensors"
    LOAD = "load"
    EFFECT = "effect"
    EVALUATE = "evaluate"
    CARD = "card"
    PUBLISH = "publish"

    @property
    def number(self) -> int:
        """1 for the first step."""
        return list(StepName).index(self) + 1

    @property
    def heading(self) -> str:
        """What the step does, for people."""
        return HEADINGS[self]


HEADINGS = {
    StepName.LAYOUT: "Layout and sizes",
    StepName.FORMAT: "File format",
    StepName.HEADER: "Weights header",
    StepName.CONFIG: "Configuration",
    StepName.TENSORS: "Tensors",
    StepName.LOAD: "Load on the backbone",
    StepName.EFFECT: "Effect",
    StepName.EVALUATE: "Smoke evaluation",
    StepName.CARD: "Card",
    StepName.PUBLISH: "Publish",
}
