"""Many runs, side by side in processes of one thread each."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import torch

from bench.quality.contenders import Contender
from bench.quality.outcomes import Outcome, Plan
from bench.quality.texts import read
from bench.quality.training import run

# Which rows are taken from a training set that has more of them: the same for every contender and seed.
_SAMPLE = 0


def run_all(
    plans: Sequence[tuple[Plan, Contender]], backbone: Path, data: Path, jobs: int
) -> Iterator[Outcome]:
    """The outcomes of all plans, each as soon as it is known."""
    with ProcessPoolExecutor(jobs, get_context("spawn"), _prepare) as pool:
        running = [pool.submit(_one, backbone, data, *planned) for planned in plans]
        try:
            for finished in as_completed(running):
                yield finished.result()
        finally:
            # Without this a run that fails would be heard of when all the others are done.
            pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    torch.set_num_threads(1)


def _one(backbone: Path, data: Path, plan: Plan, contender: Contender) -> Outcome:
    train = read(data, plan.text_set, "train").some(plan.examples, _SAMPLE)
    return run(backbone, plan, contender, train, read(data, plan.text_set, plan.split))
