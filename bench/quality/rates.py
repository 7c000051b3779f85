"""How the shipped rates were chosen: for each method the accuracy at every rate that was tried."""

from collections.abc import Sequence

from bench.quality.contenders import contenders
from bench.quality.outcomes import Outcome


def rates_table(outcomes: Sequence[Outcome]) -> str:
    """The table in Markdown, of runs judged on validation splits."""
    rows = ["| method | shipped | tried: accuracy |", "|---|---|---|"]
    for contender in contenders():
        own = [o for o in outcomes if o.plan.contender == contender.name and o.plan.split == "validation"]
        found = sorted((o.plan.learning_rate, 100 * o.accuracy) for o in own)
        if found:
            tried = ", ".join(f"{rate:g}: {accuracy:.1f}" for rate, accuracy in found)
            rows.append(f"| {contender.name} | {contender.learning_rate:g} | {tried} |")
    return "\n".join(rows) + "\n"
