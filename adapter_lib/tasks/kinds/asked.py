"""A question about a text, as data sets write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapter_lib.tasks import cells
from adapter_lib.tasks.errors import DataError
from adapter_lib.tasks.reading import Row, Rows


@dataclass(frozen=True)
class Asked:
    """A question, the text it is about, the right answers (none: it has no answer), and where the first is.

    begin: of the first answer, in characters of the context.
    """

    where: str
    question: str
    context: str
    answers: tuple[str, ...]
    begin: int

    @property
    def span(self) -> tuple[int, int] | None:
        """The first answer's characters, or None."""
        return (self.begin, self.begin + len(self.answers[0])) if self.answers else None


def asked_of(rows: Rows, row: Row, columns: Mapping[str, str]) -> Asked:
    """A row with a question. Its answers are a text, a list of texts, or SQuAD's {text, answer_start}.

    Raises DataError for an answer that does not stand in the text.
    """
    where, context = rows.where(row), cells.text(rows, row, columns["context"])
    answers, begins = _answers(where, row.values.get(columns["answers"]))
    begin = _begin(where, context, answers[0], begins[0] if begins else None) if answers else -1
    return Asked(where, cells.text(rows, row, columns["question"]), context, answers, begin)


def _answers(where: str, value: Any) -> tuple[tuple[str, ...], list[int]]:
    begins: Any = []
    if isinstance(value, dict):
        value, begins = value.get("text"), value.get("answer_start", [])
    found = [value] if isinstance(value, str) else value or []
    begins = [begins] if isinstance(begins, int) else begins
    if not isinstance(found, list) or not all(isinstance(answer, str) for answer in found):
        raise DataError(f"{where}: the answers must be a text, a list of texts, or text with answer_start.")
    if not isinstance(begins, list) or not all(isinstance(begin, int) for begin in begins):
        raise DataError(f"{where}: answer_start must be a list of whole numbers.")
    return tuple(answer for answer in found if answer), begins


def _begin(where: str, context: str, answer: str, told: int | None) -> int:
    """Where the answer begins: as told, else the first place where it stands."""
    if told is not None and told >= 0 and context.startswith(answer, told):
        return told
    begin = context.find(answer)
    if begin < 0:
        raise DataError(f"{where}: the answer {answer[:80]!r} does not stand in the text, letter by letter.")
    return begin
