"""`adapter-lib models`: every model type that has a role table."""

from adapter_lib.cli.answer import Answer, rows_answer
from adapter_lib.families import list_families


def models() -> Answer:
    """List every model type with its family and the places it has for adapters."""
    rows = [
        {
            "model_type": model_type,
            "family": family.name,
            "towers": family.towers,
            "roles": family.roles,
        }
        for family in list_families()
        for model_type in family.model_types
    ]
    return rows_answer(sorted(rows, key=lambda row: str(row["model_type"])))
