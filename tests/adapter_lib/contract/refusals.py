"""Which refusals are expected, by the law and the library's sentence; any other refusal fails the contract."""

import re

# (law or "add", what the sentence must say)
_EXPECTED = (
    ("merge", r"no update of (a weight|weights)"),
    ("split", r"A Split of \d+ tokens met a sequence of \d+"),
    ("split", r"Split cuts the sequence, and .* has no dimension of tokens"),
)


def is_expected(law: str, sentence: str) -> bool:
    """True if this law may be refused with this sentence."""
    return any(law == known and re.search(pattern, sentence) for known, pattern in _EXPECTED)
