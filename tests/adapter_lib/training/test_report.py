"""The table at the end of a training."""

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from adapter_lib.training import ReportCallback, TrainingReport
from tests.adapter_lib.training.running import trainer, with_head


def _with_console(model: Any, folder: Path, *, is_terminal: bool, **settings: Any) -> tuple[Any, io.StringIO]:
    run = trainer(model, folder, max_steps=2, **settings)
    shown = io.StringIO()
    for callback in run.callback_handler.callbacks:
        if isinstance(callback, ReportCallback):
            callback._console = Console(file=shown, force_terminal=is_terminal, width=100)
    return run, shown


def _report(run: Any) -> TrainingReport:
    found = next(each.last for each in run.callback_handler.callbacks if isinstance(each, ReportCallback))
    assert found is not None
    return found


def test_the_report_has_who_was_trained_and_how_it_went(tmp_path: Path) -> None:
    model = with_head("lora[r=4]", two="seq_bn")
    run = trainer(model, tmp_path, max_steps=4, eval_strategy="steps", eval_steps=4)
    run.train()
    report = _report(run)
    total = sum(p.numel() for p in model.parameters())
    assert [(row.name, row.method, row.rate) for row in report.rows] == [
        ("adapter 'one'", "lora", 0.01),
        ("head 'one'", "", 0.01),
    ]
    assert report.rows[0].parameters == 2 * 2 * 2 * 4 * 32
    assert report.rows[0].share == report.rows[0].parameters / total
    figures = dict(report.figures)
    assert figures["steps"] == "4"
    logged = {key: value for entry in run.state.log_history for key, value in entry.items()}
    assert float(figures["loss"]) == pytest.approx(logged["train_loss"], rel=1e-3)
    assert float(figures["eval_loss"]) == pytest.approx(logged["eval_loss"], rel=1e-3)
    assert float(figures["steps/s"]) > 0
    assert "eval_runtime" not in figures


def test_what_is_trained_of_the_backbone_is_a_row_of_its_own(tmp_path: Path) -> None:
    model = with_head()
    model.get_submodule("embeddings.LayerNorm").requires_grad_(True)
    run = trainer(model, tmp_path, max_steps=1)
    run.train()
    assert [(row.name, row.parameters) for row in _report(run).rows][-1] == ("all else", 64)


def test_a_terminal_gets_a_table(tmp_path: Path) -> None:
    run, shown = _with_console(with_head(), tmp_path, is_terminal=True, disable_tqdm=False)
    run.train()
    assert "adapter 'one'" in shown.getvalue()
    assert "steps/s" in shown.getvalue()


def test_elsewhere_lines_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapter_lib.training")
    run, shown = _with_console(with_head(), tmp_path, is_terminal=False, disable_tqdm=False)
    run.train()
    assert shown.getvalue() == ""
    lines = [record.message for record in caplog.records if record.name == "adapter_lib.training"]
    assert lines == _report(run).lines()
    assert lines[0].startswith("trained adapter 'one', method lora, parameters 1,024, share ")


def test_nothing_is_shown_without_a_progress_bar_or_if_only_errors_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "adapter_lib.training")
    run, shown = _with_console(with_head(), tmp_path, is_terminal=True, disable_tqdm=True)
    run.train()
    run, also = _with_console(with_head(), tmp_path, is_terminal=True, disable_tqdm=False)
    monkeypatch.setattr(type(run.args), "get_process_log_level", lambda self: logging.ERROR)
    run.train()
    assert shown.getvalue() == also.getvalue() == ""
    assert not [record for record in caplog.records if record.name == "adapter_lib.training"]
