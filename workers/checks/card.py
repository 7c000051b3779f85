"""Step 9: the card. It is prose, so what is wrong with it is said and keeps nobody from publishing."""

from adapter_lib.spec.card import CARD_FILE
from hubsite.validation.steps import StepName
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject


def card(subject: Subject, report: Report) -> None:
    """Front matter as the parser understood it; no address in it is ever fetched."""
    if not subject.has(CARD_FILE):
        report.note("card.missing")
        return
    for warning in subject.card.warnings:
        report.warning("card.warning", CARD_FILE, reason=warning)
    languages = ", ".join(subject.card.languages) or "none"
    report.log(f"licence {subject.card.license or 'none'}, languages {languages}")


register(StepName.CARD, Phase.MODEL, card)
