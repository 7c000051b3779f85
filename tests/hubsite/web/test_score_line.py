"""The score line: positions, words, and labels that do not touch."""

import re
from dataclasses import replace
from xml.etree import ElementTree

from hubsite.web.drawings.score_line import ScoreLine, Tick, large, small

LINE = ScoreLine(
    "accuracy", 0.921, 0.89, 0.948, "lora", (Tick("majority class", 0.5), Tick("linear probe", 0.843)), 0.93
)


def test_marks_stand_at_their_values() -> None:
    drawn = small(LINE)
    assert '<svg x="92.1%"' in drawn
    assert re.findall(r'class="s-tick" x1="([\d.]+%)"', drawn) == ["50%", "84.3%"]
    assert 'class="s-interval" x="89%" width="5.8%"' in drawn
    assert 'class="s-claim" cx="93%"' in drawn


def test_without_a_claim_there_is_no_ring() -> None:
    assert "s-claim" not in small(replace(LINE, claimed=None))
    assert "claimed" not in replace(LINE, claimed=None).words()


def test_the_words_say_everything_the_drawing_shows() -> None:
    words = LINE.words()
    assert words == (
        "accuracy 92.1 (95 % interval 89.0 to 94.8); majority class 50.0; linear probe 84.3; claimed 93.0"
    )
    for drawn in (small(LINE), large(LINE)):
        assert ElementTree.fromstring(drawn).get("aria-label") == words  # noqa: S314


def test_near_labels_stand_on_different_rows() -> None:
    def heights(first: float, second: float) -> list[str]:
        drawn = large(replace(LINE, ticks=(Tick("a", first), Tick("b", second))))
        return re.findall(r'class="s-label" x="[^"]+" y="([\d.]+)"', drawn)

    assert len(set(heights(0.5, 0.84))) == 2
    assert len(set(heights(0.1, 0.84))) == 1


def test_values_beyond_the_ends_stay_on_the_line() -> None:
    drawn = large(replace(LINE, value=1.2, low=-0.2, high=1.4, claimed=None))
    places = [float(place) for place in re.findall(r'(?:x|x1|cx)="(-?[\d.]+)%"', drawn)]
    assert all(0 <= place <= 100 for place in places)
