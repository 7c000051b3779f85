"""Parts of the sentences that say what exists."""

import difflib
from collections.abc import Iterable

_MOST = 10


def listing(names: Iterable[str]) -> str:
    """`a, b, c`; a long list is cut and says by how many."""
    all_names = [name for name in names if name]
    rest = len(all_names) - _MOST
    return ", ".join(all_names[:_MOST]) + (f" and {rest} more" if rest > 0 else "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean a or b?` with the closest spellings, or nothing."""
    close = difflib.get_close_matches(word.lower(), sorted(known), n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""
