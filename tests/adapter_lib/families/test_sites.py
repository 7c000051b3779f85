"""Every site is where the model adds its residual: red when a release of transformers moves something."""

import pytest
import torch
from torch import Tensor

from adapter_lib.families import Site
from tests.adapter_lib.families.observing import LayerCall, layer_calls
from tests.adapter_lib.zoo import MODELS
from tests.adapter_lib.zoo.spreading import spread

# Where something of the model's own follows on h + r: what takes it in.
FOLLOWED_BY = {
    ("xmod", "ffn"): "output.LayerNorm#0",
    ("xmod-prenorm", "ffn"): "output.LayerNorm#1",
}


@pytest.mark.parametrize("name", spread(MODELS))
def test_every_site_is_where_the_model_adds_its_residual(name: str) -> None:
    """Post-norm: h + r goes into the site's norm. Pre-norm: it is the next residual or the layer's output."""
    calls = layer_calls(name)
    assert calls
    for call in calls:
        sites = [(role, site) for role, site in _in_order(call) if call.ran(site.out)]
        assert [role for role, _ in sites][:1] == ["mh"], f"{name} has no {call.tower.table.layer.mh}"
        for number, (role, site) in enumerate(sites):
            after = [follower for _, follower in sites[number + 1 :]]
            if any(path == site.out for follower in after for path in follower.added):
                continue  # beside the next sub-layer, whose own sum has both
            expected = _what_the_model_adds(name, role, site, after, call)
            torch.testing.assert_close(call.h(site) + call.r(site), expected, rtol=1e-4, atol=1e-5)


def _in_order(call: LayerCall) -> list[tuple[str, Site]]:
    sites = call.tower.table.layer.sites()
    return [(role, sites[role]) for role in ("mh", "cross", "ffn") if role in sites]


def _what_the_model_adds(name: str, role: str, site: Site, after: list[Site], call: LayerCall) -> Tensor:
    taker = site.norm or FOLLOWED_BY.get((name, role)) or (after[0].caught if after else None)
    whole = call.out("") if taker is None else call.given(taker)
    assert site.flat == (call.h(site).dim() == 2), f"{role} is flat"
    return whole.reshape(call.h(site).shape)


@pytest.mark.parametrize("name", spread(MODELS))
def test_every_tower_and_every_site_that_exists_was_run(name: str) -> None:
    """Nothing in the table is only said: the forward goes through every tower and both sub-layers."""
    calls = layer_calls(name)
    for call in calls:
        sites = dict(_in_order(call))
        assert call.ran(sites["mh"].out)
        assert call.ran(sites["ffn"].out)
        if call.tower.table.role == "decoder" and MODELS[name].kind in ("seq2seq", "audio"):
            assert call.ran(sites["cross"].out)
