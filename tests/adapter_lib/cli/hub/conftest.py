"""The live hub of the library's own tests."""

from tests.adapter_lib.hub.conftest import _clean_slate, alice, backbone_folder, bob, cache, hub

__all__ = ["_clean_slate", "alice", "backbone_folder", "bob", "cache", "hub"]
