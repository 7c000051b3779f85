"""`adapter-lib load`: bring an adapter, tell what it is, and let it answer."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from adapter_lib.cli.answer import Answer, Row
from adapter_lib.cli.finding import Found, find
from adapter_lib.cli.options import Backbone, Endpoint, Task, Token
from adapter_lib.spec.errors import LoadError


def load(
    adapter: Annotated[
        str, typer.Argument(metavar="ID", help="hub:NAMESPACE/NAME, hub:TASK/METHOD, hf:… or a folder.")
    ],
    to: Annotated[Path | None, typer.Option("--to", help="Copy its files into this folder.")] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", help="Let it answer this text; repeatable.")
    ] = None,
    task: Task = None,
    backbone: Backbone = None,
    revision: Annotated[str | None, typer.Option(help="A version, branch or commit.")] = None,
    allow_unvalidated: Annotated[
        bool, typer.Option("--allow-unvalidated", help="Also what the hub has not validated.")
    ] = False,
    endpoint: Endpoint = None,
    token: Token = None,
) -> Answer:
    """Fetch an adapter, check its bytes, and tell what it is; with --text let it answer."""
    # Imported here because it loads torch.
    from adapter_lib.inspection.checkpoints import inspect_checkpoint

    found = find(
        adapter, revision=revision, endpoint=endpoint, token=token, allow_unvalidated=allow_unvalidated
    )
    about = inspect_checkpoint(found.folder).to_dict()
    folder = found.folder if to is None else _copied(found, to)
    document: dict[str, Any] = {"adapter": adapter, "found": found.line or str(found.folder), **about}
    document["folder"] = str(folder)
    lines: list[str | list[Row]] = [found.line] if found.line else []
    said = about["backbone"]["id"] or "a backbone without a name"
    lines += [f"{about['method']} for {said}, {about['parameters']:,} parameters, in {folder}"]
    if text:
        answers = _answers(found, text, task, backbone)
        document["answers"] = answers
        lines.append([{"answer": answer["answer"], "text": answer["text"]} for answer in answers])
    return Answer(document, lines)


def _answers(found: Found, texts: list[str], task: str | None, backbone: str | None) -> list[dict[str, Any]]:
    # Imported here because it loads torch.
    from adapter_lib.cli.opening import open_adapter
    from adapter_lib.tasks.telling import tell

    opened = open_adapter(found, task=task, backbone=backbone)
    told = tell(opened.backbone, opened.task, texts, opened.labels)
    return [{"text": text, "answer": answer} for text, answer in zip(texts, told, strict=True)]


def _copied(found: Found, to: Path) -> Path:
    folder = to.expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(found.folder.iterdir()) if found.folder.is_dir() else [found.folder]:
            if path.is_file() and not path.name.startswith("."):
                shutil.copyfile(path, folder / path.name)
    except (OSError, shutil.SameFileError) as error:
        raise LoadError(f"The files could not be copied to {folder}: {error}.") from error
    return folder
