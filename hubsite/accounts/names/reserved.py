"""Words that no namespace may be called: they are routes, or words of the id grammar."""

from collections.abc import Callable, Iterable

_ROUTES = frozenset(
    {
        "about", "account", "accounts", "adapters", "admin", "api", "backbones", "browse", "buckets", "cas",
        "collections", "compare", "datasets", "docs", "favicon.ico", "files", "health", "healthz", "help",
        "hf", "hub", "join", "kernels", "leaderboard", "leaderboards", "lfs", "login", "logout", "media",
        "metrics", "models", "new", "notifications", "oauth", "organizations", "papers", "password",
        "pricing", "privacy", "raw", "refs", "resolve", "robots.txt", "runs", "search", "settings",
        "sha256", "signin", "signup", "sitemap.xml", "spaces", "static", "status", "suites", "tasks",
        "telemetry", "terms", "tokens", "upload", "uploads", "user", "users", "v1", "webhooks", "whoami",
        "www",
    }
)  # fmt: skip

_sources: list[Callable[[], Iterable[str]]] = [lambda: _ROUTES]


def reserve(source: Callable[[], Iterable[str]]) -> None:
    """Also refuse the words that `source` gives when asked; called once, when an app is ready."""
    _sources.append(source)


def reserved_words() -> set[str]:
    """All words that are refused at this moment, in lower case."""
    return {word.lower() for source in _sources for word in source()}
