"""`adapter-lib methods`: every adapter method, its presets, its default learning rate and its paper."""

from adapter_lib.cli.answer import Answer, rows_answer


def methods() -> Answer:
    """List every adapter method with its presets, default learning rate (AdamW) and paper."""
    # Imported here because it loads torch.
    from adapter_lib.methods import list_methods

    return rows_answer(
        [
            {
                "method": method.name,
                "presets": method.presets,
                "learning_rate": method.learning_rate,
                "rates": dict(method.rates),
                "summary": method.summary,
                "paper": method.paper,
            }
            for method in list_methods()
        ]
    )
