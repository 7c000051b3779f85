"""Makes adapters of ours from the files of `peft`: `port` reads a checkpoint, `attach` puts it on a model."""

from tests.interop.porting_peft.attaching import attach
from tests.interop.porting_peft.checkpoint import Checkpoint, NotPortableError
from tests.interop.porting_peft.methods import port
from tests.interop.porting_peft.ported import Ported

__all__ = ["Checkpoint", "NotPortableError", "Ported", "attach", "port"]
