"""`adapter-lib inspect`: what a checkpoint says of itself, of whichever format it is."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from adapter_lib.cli.answer import Answer, Row
from adapter_lib.cli.exit_codes import DONE, PROBLEMS
from adapter_lib.cli.finding import find_folder
from adapter_lib.cli.options import Endpoint, Token

if TYPE_CHECKING:  # it loads torch
    from adapter_lib.inspection.checkpoints import Checkpoint


def inspect(
    adapter: Annotated[str, typer.Argument(metavar="PATH_OR_ID", help="A folder, hub:… or hf:….")],
    values: Annotated[
        bool, typer.Option("--values", help="Read the numbers too: NaN, infinite, zero.")
    ] = False,
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone", help="Check the tensors against this backbone's config (its weights are not read)."
        ),
    ] = None,
    endpoint: Endpoint = None,
    token: Token = None,
) -> Answer:
    """Tell method, size, backbone, head and problems of an adapter of adapter_lib, PEFT or AdapterHub."""
    # Imported here because it loads torch.
    from adapter_lib.inspection.checkpoints import inspect_checkpoint

    folder = find_folder(adapter, endpoint=endpoint, token=token, allow_unvalidated=True)
    found = inspect_checkpoint(folder, with_values=values)
    if backbone is not None:
        # Imported here because it builds the model, if only on the meta device.
        from adapter_lib.inspection.checkpoints.fitting import fit_problems

        found = found.having(fit_problems(found, backbone))
    shown: list[str | list[Row]] = [_facts(found)]
    shown += [_problems(found)] if found.problems else ["No problems found."]
    return Answer(found.to_dict(), shown, PROBLEMS if found.problems else DONE)


def _facts(found: "Checkpoint") -> list[Row]:
    backbone = {key: value for key, value in asdict(found.backbone).items() if value is not None}
    document = found.to_dict()
    head = found.head or {}
    labels = head.get("labels") or ()
    facts = {
        "format": found.format,
        "method": found.method,
        "size": _pairs(found.sizes),
        "parameters": f"{found.parameters:,}",
        "tensors": f"{document['tensors']} ({_pairs(document['dtypes'])}), {document['bytes']:,} bytes",
        "backbone": _pairs(backbone) or "not told",
        "head": f"{head['type']}, {found.head_parameters:,} parameters" if head else "none",
        "labels": ", ".join(map(str, labels)) or "none",
    }
    return [{"what": key, "is": value} for key, value in facts.items()]


def _problems(found: "Checkpoint") -> list[Row]:
    return [{"problem": problem.code, "what_is_wrong": problem.message} for problem in found.problems]


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "-"
