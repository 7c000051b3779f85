"""The card of an adapter: README.md with YAML front matter in the model hub's keys."""

from adapter_lib.spec.card.parse import CardText, Claim, parse_card
from adapter_lib.spec.card.render import CardContent, Metric, render_card

CARD_FILE = "README.md"

__all__ = ["CARD_FILE", "CardContent", "CardText", "Claim", "Metric", "parse_card", "render_card"]
