"""How long an answer may be."""

MAX_CANDIDATES = 20
