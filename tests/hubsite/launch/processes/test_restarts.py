"""Quick deaths in a row are answered with longer and longer pauses."""

from hubsite.launch.processes.restarts import Restarts


def test_every_quick_death_doubles_the_pause_up_to_a_limit() -> None:
    restarts = Restarts()
    assert [restarts.pause("web", lived=1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_long_life_starts_the_count_again() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.pause("web", lived=1)
    assert restarts.pause("web", lived=61) == 0.5
    assert restarts.pause("web", lived=1) == 1


def test_children_are_counted_apart() -> None:
    restarts = Restarts()
    restarts.pause("web", lived=1)
    assert restarts.pause("worker", lived=1) == 0.5
