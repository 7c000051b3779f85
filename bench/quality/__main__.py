"""The command: python -m bench.quality run|table …"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.quality.contenders import Contender, contenders
from bench.quality.outcomes import Plan, store, stored
from bench.quality.rates import rates_table
from bench.quality.report import put, write
from bench.quality.series import run_all
from bench.quality.texts import SETS
from hubsite.launch.backbone.obtain import obtained
from hubsite.launch.backbone.recipes import MINILM

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = Path(__file__).with_name("outcomes.jsonl")
# Runs on validation splits, by which the shipped rates were chosen.
RATES = Path(__file__).with_name("rates.jsonl")


def main(arguments: list[str]) -> None:
    """Run what has not been run, or write the table of what has."""
    options = _parser().parse_args(arguments)
    if options.what == "table":
        write(tuple(stored(options.outcomes)), ROOT / "docs")
        put(ROOT / "docs" / "results.md", "rates", rates_table(tuple(stored(RATES))))
        return
    missing = list(_missing(options))
    with _backbone(options.backbone) as backbone, _progress() as progress:
        task = progress.add_task("", total=len(missing))
        for outcome in run_all(missing, backbone, options.data, options.jobs):
            store(options.outcomes, outcome)
            plan = outcome.plan
            progress.console.print(
                f"{plan.contender} {plan.text_set} seed {plan.seed} rate {plan.learning_rate:g}: "
                f"{outcome.accuracy:.3f}, largest class {outcome.largest_class:.2f}"
            )
            progress.advance(task)


def _progress() -> Progress:
    return Progress(TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--data", type=Path, help="folder of the text sets, one folder each")
    parser.add_argument("--backbone", type=Path, help="folder of the backbone; fetched if not given")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--only", nargs="+", help="contenders, by name", default=[])
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    parser.add_argument("--examples", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument(
        "--factors", nargs="+", type=float, default=(1.0,), help="of the shipped rates, to try"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    parser.add_argument("--outcomes", type=Path, default=OUTCOMES)
    return parser


@contextmanager
def _backbone(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with obtained(MINILM) as folder:
        yield folder


def _missing(options: argparse.Namespace) -> Iterator[tuple[Plan, Contender]]:
    if options.data is None:
        sys.exit("Name the folder of the text sets with --data.")
    done = {outcome.plan for outcome in stored(options.outcomes)}
    for seed, text_set, contender, factor in product(
        options.seeds, options.sets, _chosen(options.only), options.factors
    ):
        # Two digits are all that a rate means.
        tried = replace(contender, learning_rate=float(f"{contender.learning_rate * factor:.2g}"))
        plan = Plan(
            contender.name,
            text_set,
            seed,
            tried.learning_rate,
            options.examples,
            options.epochs,
            options.split,
        )
        if plan not in done:
            yield plan, tried


def _chosen(names: list[str]) -> list[Contender]:
    known = {contender.name: contender for contender in contenders()}
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"There is no contender {min(unknown)!r}; there are {', '.join(known)}.")
    return [known[name] for name in names or known]


if __name__ == "__main__":
    main(sys.argv[1:])
