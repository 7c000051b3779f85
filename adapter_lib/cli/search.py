"""`adapter-lib search`: what a hub has published."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from adapter_lib.cli.answer import Answer
from adapter_lib.cli.options import Endpoint, Token
from adapter_lib.hub.searching import SearchHit
from adapter_lib.hub.searching import search as search_hub


class Sort(StrEnum):
    """Orders that the hub knows."""

    SCORE = "score"
    RELEVANCE = "relevance"
    DOWNLOADS = "downloads"
    LIKES = "likes"
    NEWEST = "newest"


def search(
    text: Annotated[str, typer.Argument(metavar="[QUERY]", help="Words to look for; none: everything.")] = "",
    task: Annotated[str | None, typer.Option(help="Such as sentiment, ner or qa.")] = None,
    language: Annotated[str | None, typer.Option(help="A language tag such as en.")] = None,
    backbone: Annotated[str | None, typer.Option(help="The backbone's id.")] = None,
    method: Annotated[str | None, typer.Option(help="Such as lora.")] = None,
    sort: Annotated[Sort, typer.Option(help="What comes first.")] = Sort.SCORE,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    endpoint: Endpoint = None,
    token: Token = None,
) -> Answer:
    """Search a hub's published adapters."""
    hits = search_hub(
        text,
        task=task,
        language=language,
        backbone=backbone,
        method=method,
        sort=sort.value,
        limit=limit,
        endpoint=endpoint,
        token=token,
    )
    document = [asdict(hit) | {"load": hit.load} for hit in hits]
    return Answer(document, [[_row(hit) for hit in hits]] if hits else ["Nothing fits."])


def _row(hit: SearchHit) -> dict[str, object]:
    return {
        "adapter": f"{hit.id} {hit.version}",
        "task": hit.task,
        "method": hit.method,
        "backbone": hit.backbone,
        "score": None if hit.score is None else f"{hit.score:.3f} {hit.metric}",
        "downloads": hit.downloads,
        "summary": hit.summary,
    }
