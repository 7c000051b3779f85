"""What children do in tests. No models here: a spawned child imports this without Django."""

import os
from typing import Any

from hubsite.validation.choices import Severity
from hubsite.validation.reports import Found
from hubsite.validation.steps import StepName
from workers.events import Logged, StepBegan, StepEnded, encode
from workers.sandbox import Emit

MEBIBYTE = 1024**2


def begin(emit: Emit) -> None:
    emit(encode(StepBegan(StepName.HEADER)))


def hang(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)
    while True:
        pass


def devour(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)
    emit(encode(Logged(StepName.HEADER, str(len(bytearray(2048 * MEBIBYTE))))))


def vanish(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)
    os._exit(9)


def stop_halfway(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)


def babble(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)
    emit(b'{"event": "Published"}')


def invent_a_code(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)
    emit(encode(Found(StepName.HEADER, "invented.code", Severity.ERROR)))


def break_down(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)
    raise ZeroDivisionError("a check has a mistake")


def blame_the_hub(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)
    detail = {"suite": "s", "reason": "gone"}
    emit(encode(Found(StepName.HEADER, "hub.suite_unavailable", Severity.ERROR, "", detail)))
    emit(encode(StepEnded(StepName.HEADER, False, 1)))


def do_well(case: Any, emit: Emit, isolation: list[str]) -> None:
    begin(emit)
    emit(encode(Logged(StepName.HEADER, "all is well")))
    emit(encode(StepEnded(StepName.HEADER, True, 7)))
