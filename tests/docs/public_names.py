"""The public names: what `adapter_lib` and its packages for users export, and what a model is given."""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import adapter_lib
from adapter_lib import AdapterModel

_PACKAGES = ("adapter_lib", "adapter_lib.training", "adapter_lib.inspection")
_ON_A_MODEL = "model"


@dataclass(frozen=True)
class PublicName:
    """A name, where a user finds it, and what it is.

    owner: a package; "model", a prepared model; or a class, of another way to make one.
    """

    owner: str
    name: str
    value: Any

    def home(self) -> str:
        """The module that defines it."""
        if self.owner not in _PACKAGES:
            return str(self.function().__module__)
        return str(getattr(self.value, "__module__", None) or self.owner)

    def function(self) -> Callable[..., Any]:
        """What is called, or, of a property, what is read."""
        value = self.value
        found: Callable[..., Any] | None = (
            value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        )
        if found is None:
            raise TypeError(f"{self.name} cannot be read.")
        return found

    def doc(self) -> str:
        return inspect.getdoc(self.value) or ""

    def sentence(self) -> str:
        """The first sentence of the docstring."""
        paragraph = " ".join(self.doc().partition("\n\n")[0].split())
        return re.split(r"(?<=[.?!]) (?=[A-Z`])", paragraph)[0]

    def is_called(self) -> bool:
        """Whether its arguments are a user's to give: not of properties, exceptions and plain records."""
        if isinstance(self.value, type):
            is_raised = issubclass(self.value, BaseException)
            return (
                not is_raised and not dataclasses.is_dataclass(self.value) and self.value is not AdapterModel
            )
        return callable(self.value)

    def parameters(self) -> list[inspect.Parameter]:
        """What a caller gives."""
        if not self.is_called():
            return []
        found = list(inspect.signature(self.value).parameters.values())
        if getattr(self.value, "takes", None) == ():  # a block without settings
            found = [each for each in found if each.name != "settings"]
        return found[1:] if self.owner == _ON_A_MODEL and found[:1] and found[0].name == "self" else found

    def told(self) -> str:
        """All that docstrings say of the arguments: the name's own, and for a class its constructor's too."""
        constructor = getattr(self.value, "__init__", None) if isinstance(self.value, type) else None
        return f"{self.doc()}\n{inspect.getdoc(constructor) or ''}"


def public_names() -> Iterator[PublicName]:
    """All of them but the version, each once, where a user finds it first."""
    seen: set[int] = set()
    for package in _PACKAGES:
        module = importlib.import_module(package)
        for name in sorted(module.__all__, key=str.lower):
            value = getattr(module, name)
            if id(value) not in seen and name != "__version__":
                seen.add(id(value))
                yield PublicName(package, name, value)
                yield from _makers(value)
    yield from _methods()


def _makers(value: Any) -> Iterator[PublicName]:
    """The other ways to make one of a class."""
    made = vars(value) if isinstance(value, type) else {}
    for name, found in made.items():
        if isinstance(found, classmethod) and not name.startswith("_"):
            yield PublicName(value.__name__, name, getattr(value, name))


def _methods() -> Iterator[PublicName]:
    """What we gave the model, not what torch and transformers did."""
    found: dict[str, Any] = {}
    for cls in AdapterModel.__mro__:
        if cls.__module__.split(".")[0] == adapter_lib.__name__:
            found = {name: value for name, value in vars(cls).items() if not name.startswith("_")} | found
    for name in sorted(found):
        if callable(found[name]) or isinstance(found[name], property | classmethod | staticmethod):
            yield PublicName(_ON_A_MODEL, name, found[name])
