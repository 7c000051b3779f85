"""Which refusals are expected, by the law and the sentence; any other refusal fails the contract."""

import re

# (law or "add", what the sentence must say)
_EXPECTED = (
    ("add", r"has no embed for \w+ to act on"),
    ("add", r"Soft prompts cannot act in "),
    ("parallel", r"prompts of different lengths cannot stand in one batch here"),
    ("nested", r"prompts of different lengths cannot stand in one batch here"),
    ("add", r"wavlm has no attn"),
    ("add", r"olmo has no norm\.\* or norm"),
    ("parallel", r"different rows cannot act apart"),
    ("batch_split", r"different rows cannot act apart"),
    ("multi_task", r"different rows cannot act apart"),
    ("nested", r"different rows cannot act apart"),
    ("add", r"has no tokens for trainable_tokens to act on"),
    ("add", r"has no ffn\.mid for ia3 to act on"),
    ("add", r"No prefix can be put in front of the keys here"),
    ("split", r"Split cannot act on soft prompts"),
    ("fuse", r"A Fuse combines vectors, one per token; prompt is of the kind prompt"),
    ("route", r"A Route combines vectors, one per token; prompt is of the kind prompt"),
    ("merge", r"changes a bias, and \w+ has none"),
    ("merge", r"changes the embedding matrix, which is tied"),
    ("merge", r"no update of (a weight|weights)"),
    ("split", r"A Split of \d+ tokens met a sequence of \d+"),
    ("split", r"Split cuts the sequence, and .* has no dimension of tokens"),
)


def is_expected(law: str, sentence: str) -> bool:
    """True if this law may be refused with this sentence."""
    return any(law == known and re.search(pattern, sentence) for known, pattern in _EXPECTED)
