"""Records: by kind, name and place, only where somebody asked."""

import torch

from adapter_lib.engine import NOTHING, Info, place_name, record
from adapter_lib.spec.configs import Place

FFN = Place("ffn", 3, 8, 8, "site", tower="encoder")


def test_nothing_is_kept_unless_asked() -> None:
    record(NOTHING, "gates", "a", FFN, torch.ones(2))
    assert NOTHING.record is None


def test_rows_that_come_later_are_appended_without_their_graph() -> None:
    info = Info(record={})
    values = torch.ones(2, 1, requires_grad=True) * 2
    record(info, "gates", "a", FFN, values)
    record(info, "gates", "a", FFN, values * 2)
    record(info, "fusion", "b", FFN, values)
    assert info.record is not None
    kept = info.record["gates"]["a"]["layers.3.ffn"]
    assert kept.tolist() == [[2.0], [2.0], [4.0], [4.0]]
    assert not kept.requires_grad
    assert list(info.record["fusion"]) == ["b"]


def test_how_places_are_called() -> None:
    assert place_name(FFN) == "layers.3.ffn"
    assert place_name(Place("embed", -1, 8, 8, "embed", tower="encoder")) == "encoder.embed"
    assert place_name(Place("head", -1, 8, 8, "head")) == "head"
