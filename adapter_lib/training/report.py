"""The table at the end of a training."""

import logging
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from adapter_lib.model import AdapterModel
from adapter_lib.training.announcing import LOGGER, is_silent
from adapter_lib.training.owners import owners_of

_HEADER = ("trained", "method", "parameters", "share", "rate")


@dataclass(frozen=True)
class TrainedRow:
    """Who was trained: its method, parameters, their share of the model's, and its largest rate."""

    name: str
    method: str
    parameters: int
    share: float
    rate: float

    def cells(self) -> tuple[str, str, str, str, str]:
        """The row as text."""
        return (self.name, self.method, f"{self.parameters:,}", f"{self.share:.3%}", f"{self.rate:g}")


@dataclass(frozen=True)
class TrainingReport:
    """What a training did. figures: steps, loss, the last metrics, steps per second, in this order."""

    rows: tuple[TrainedRow, ...]
    figures: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        """The report as lines of text."""
        rows = [", ".join(f"{h} {c}" for h, c in zip(_HEADER, row.cells(), strict=True)) for row in self.rows]
        return [*rows, ", ".join(f"{name} {value}" for name, value in self.figures)]

    def table(self) -> Table:
        """The report as a table for a terminal."""
        table = Table(caption="  ".join(f"{name} {value}" for name, value in self.figures))
        for name in _HEADER:
            table.add_column(name, justify="left" if name in _HEADER[:2] else "right")
        for row in self.rows:
            table.add_row(*row.cells())
        return table


def report_of(model: AdapterModel, state: TrainerState, optimizer: Any) -> TrainingReport:
    """What a training did, from its log."""
    rates = {
        id(p): float(group.get("initial_lr", group["lr"]))
        for group in getattr(optimizer, "param_groups", ())
        for p in group["params"]
    }
    total, told, rows = sum(p.numel() for p in model.parameters()), set[int](), []
    named = [
        (str(owner).removeprefix("the "), owner.config.name() if owner.config else "", owner.trained())
        for owner in owners_of(model)
    ]
    named.append(("all else", "", [p for p in model.parameters() if p.requires_grad]))
    for name, method, parameters in named:
        new = [p for p in parameters if id(p) not in told]
        told |= {id(p) for p in new}
        if new:
            count, rate = sum(p.numel() for p in new), max(rates.get(id(p), 0.0) for p in new)
            rows.append(TrainedRow(name, method, count, count / total, rate))
    share = sum(row.share for row in rows)
    return TrainingReport(tuple(rows), (("of the model", f"{share:.3%}"), *_figures(state)))


class ReportCallback(TrainerCallback):
    """Shows the report when training ends: a table on a terminal or in a notebook, else lines in the log.

    Nothing is shown with `disable_tqdm`, if only errors are logged, and on other processes than the first.
    last: the report of the last training.
    """

    def __init__(self, console: Console | None = None) -> None:
        """console: where the table goes, by default the program's output."""
        self.last: TrainingReport | None = None
        self._console = console

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Make the report and show it."""
        model = kwargs["model"]
        if not isinstance(model, AdapterModel) or not state.is_world_process_zero:
            return
        self.last = report_of(model, state, kwargs.get("optimizer"))
        if args.disable_tqdm or is_silent(args):
            return
        console = self._console or Console()
        if console.is_terminal or console.is_jupyter:
            console.print(self.last.table())
        else:
            for line in self.last.lines():
                LOGGER.log(logging.INFO, line)


def _figures(state: TrainerState) -> list[tuple[str, str]]:
    """Steps, loss, the metrics of the last evaluation, and speed, as far as the log has them."""
    merged: dict[str, Any] = {}
    for entry in state.log_history:
        merged |= entry
    chosen = {"loss": "train_loss"} | {
        name: name
        for name in merged
        if name.startswith("eval_") and not name.endswith(("_runtime", "_per_second"))
    }
    chosen["steps/s"] = "train_steps_per_second"
    found = [(name, f"{merged[key]:.4g}") for name, key in chosen.items() if _is_number(merged.get(key))]
    return [("steps", str(state.global_step)), *found]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
