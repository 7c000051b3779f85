"""One file per method; importing this package registers them all."""

from adapter_lib.methods.bottleneck import Bottleneck
from adapter_lib.methods.lora import LoRA
from adapter_lib.methods.registry import Method, list_methods, method_of, register_method

__all__ = ["Bottleneck", "LoRA", "Method", "list_methods", "method_of", "register_method"]
