import time

import pytest

from hubsite.hfapi.gitignore import IgnoreRules


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        ("*.log", "a.log", True),
        ("*.log", "deep/down/a.log", True),
        ("*.log", "a.log.txt", False),
        ("build/", "build/x", True),
        ("build/", "sub/build/x", True),
        ("build/", "build", False),
        ("/build", "build/x", True),
        ("/build", "sub/build/x", False),
        ("a/*.txt", "a/b.txt", True),
        ("a/*.txt", "x/a/b.txt", False),
        ("a/*.txt", "a/b/c.txt", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("**/cache", "x/y/cache/f", True),
        ("logs/**", "logs/a/b", True),
        ("*.log\n!keep.log", "keep.log", False),
        ("!keep.log\n*.log", "keep.log", True),
        ("# *.md\n\n", "a.md", False),
        ("\\#odd", "#odd", True),
        ("file?.txt", "file1.txt", True),
        ("[ab].txt", "a.txt", True),
        ("[!ab].txt", "a.txt", False),
        ("/", "anything", False),
        ("[", "[", True),
    ],
)
def test_rules(rules: str, path: str, ignored: bool) -> None:
    assert IgnoreRules(rules).ignores(path) is ignored


def test_hostile_rules_cost_little() -> None:
    rules = IgnoreRules("\n".join(["*a" * 90 + "b", "**/a/" * 30 + "z"] * 150))
    started = time.monotonic()
    assert not rules.ignores("a/" * 200 + "a" * 100)
    assert time.monotonic() - started < 1
