"""From checkpoints of the library `adapters` to ours: names, configs, tensors and compositions.

A file is ported whole or not at all: every one of its tensors finds a place, or is set aside with a reason.
"""

from tests.interop.porting.adapters import Ported, port_adapter
from tests.interop.porting.backbone import Backbone
from tests.interop.porting.compositions import port_setup
from tests.interop.porting.fusion import port_fusion
from tests.interop.porting.source import PortingError

__all__ = ["Backbone", "Ported", "PortingError", "port_adapter", "port_fusion", "port_setup"]
