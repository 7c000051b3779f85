"""How long to wait before a child that died is started again."""

_FIRST = 0.5
_LONGEST = 30.0
# A child that ran for so many seconds was healthy: its next death counts as its first.
_HEALTHY = 60.0


class Restarts:
    """Counts each child's quick deaths in a row; every one doubles the pause."""

    def __init__(self) -> None:
        self._deaths: dict[str, int] = {}

    def pause(self, name: str, lived: float) -> float:
        """Seconds to wait after `name` died, having lived for `lived` seconds."""
        deaths = 0 if lived >= _HEALTHY else self._deaths.get(name, 0)
        self._deaths[name] = deaths + 1
        return min(_LONGEST, _FIRST * 2.0**deaths)
