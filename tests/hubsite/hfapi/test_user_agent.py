"""User agents."""

import pytest

from hubsite.hfapi.user_agent import hub_client_version, wants_xet


@pytest.mark.parametrize(
    ("agent", "version", "xet"),
    [
        ("unknown/None; hf_hub/2.4.0; python/3.11.7", (2, 4), True),
        ("transformers/5.23.0; hf_hub/1.20.0; python/3.11", (1, 20), True),
        ("unknown/None; hf_hub/1.19.0; python/3.11", (1, 19), False),
        ("unknown/None; hf_hub/0.36.2; python/3.11", (0, 36), False),
        ("curl/8.0", None, False),
        ("", None, False),
    ],
)
def test_user_agents(agent: str, version: tuple[int, int] | None, xet: bool) -> None:
    assert hub_client_version(agent) == version
    assert wants_xet(agent) is xet
