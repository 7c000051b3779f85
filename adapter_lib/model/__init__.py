"""The thin facade a user sees."""

from adapter_lib.model.auto import AutoAdapterModel
from adapter_lib.model.facade import AdapterModel
from adapter_lib.model.init import detach, init
from adapter_lib.model.setup import AdapterSetup

__all__ = ["AdapterModel", "AdapterSetup", "AutoAdapterModel", "detach", "init"]
