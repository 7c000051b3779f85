"""The .gitignore grammar (gitignore(5)): comments, `!`, anchoring `/`, `*`, `?`, `[…]`, `**`."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

# Matching costs rules × files; both are bounded, so that no upload can keep a server busy.
_MAX_RULES = 300
_MAX_RULE_LENGTH = 200


@dataclass(frozen=True)
class _Rule:
    """`globs`, one per part of a path, name a file or folder and, by a closing `**`, all that is below it."""

    globs: tuple[str, ...]
    ignore: bool


class IgnoreRules:
    """Parsed rules; a later rule wins over an earlier one, as in git."""

    def __init__(self, text: str) -> None:
        lines = (line.rstrip() for line in text.splitlines()[:_MAX_RULES])
        self._rules = [_parse(line) for line in lines if _is_rule(line)]

    def ignores(self, path: str) -> bool:
        """Whether the file at `path` is to be left out."""
        parts = path.split("/")
        ignored = False
        for rule in self._rules:
            if rule.ignore != ignored and _match(rule.globs, parts):
                ignored = rule.ignore
        return ignored


def _is_rule(line: str) -> bool:
    return line not in ("", "/", "!") and not line.startswith("#") and len(line) <= _MAX_RULE_LENGTH


def _parse(line: str) -> _Rule:
    ignore = not line.startswith("!")
    glob = line.removeprefix("!").removeprefix("\\")
    below = ["*", "**"] if glob.endswith("/") else ["**"]
    glob = glob.rstrip("/")
    # Without a slash inside, a rule names a file or folder at any depth.
    globs = glob.removeprefix("/").split("/") if "/" in glob else ["**", glob]
    return _Rule((*globs, *below), ignore)


def _match(globs: Sequence[str], parts: Sequence[str]) -> bool:
    """Wildcard match over path parts, where `**` stands for any number of them; no exponential case."""
    at, part, star, resume = 0, 0, -1, 0
    while part < len(parts):
        if at < len(globs) and globs[at] == "**":
            star, resume = at, part
            at += 1
        elif at < len(globs) and fnmatchcase(parts[part], globs[at]):
            at, part = at + 1, part + 1
        elif star >= 0:
            resume += 1
            at, part = star + 1, resume
        else:
            return False
    return all(glob == "**" for glob in globs[at:])
