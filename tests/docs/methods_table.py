"""The tables of docs/methods that are written from data, and the command that writes them.

`python -m tests.docs.methods_table`
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import adapter_lib
from adapter_lib.methods.registry import Method
from adapter_lib.spec.configs import BlockConfig, MethodConfig, known_aliases, preset_config
from adapter_lib.spec.strings import parse_config
from tests.adapter_lib.contract.methods import METHODS
from tests.docs import defects_table
from tests.docs.markers import DOCS, filled, table

INDEX = DOCS / "methods" / "README.md"
DEFECTS = DOCS / "methods" / "peers-defects.md"
_COLUMNS = ("method", "presets", "where it acts", "learning rate", "mergeable", "paper")
_PAGES = {
    "lora.md": ("lora", "dora", "vera", "dvora", "mtl_lora"),
    "weight-updates.md": ("adalora", "loha", "lokr", "hira", "oft", "boft", "hra", "fourierft"),
    "scaling.md": ("ia3", "bitfit", "norm_tuning", "trainable_tokens"),
    "bottleneck.md": ("bottleneck", "compacter"),
    "invertible.md": ("invertible",),
    "prefix-and-prompt.md": ("prefix_tuning", "prompt_tuning", "p_tuning"),
    "reft.md": ("reft",),
    "composition.md": ("fusion", "route"),
}
# What a config without defaults needs to be made.
_NEEDED: Mapping[str, Mapping[str, Any]] = {"trainable_tokens": {"token_indices": [0]}}


def methods() -> str:
    """Every method and block of `adapter_lib.list_methods()`."""
    return table(_COLUMNS, (_row(method) for method in adapter_lib.list_methods()))


def page_of(method: str) -> str:
    """The page of a method. Raises LookupError for one that has none."""
    return next((page for page, names in _PAGES.items() if method in names), "") or _missing(method)


def pages() -> Iterator[tuple[Path, str]]:
    """Every page with tables, and what should stand in it."""
    yield INDEX, filled(INDEX.read_text(encoding="utf-8"), "methods", methods())
    text = DEFECTS.read_text(encoding="utf-8")
    for section in defects_table.SECTIONS:
        text = filled(text, section, defects_table.render(section))
    yield DEFECTS, text


def _missing(method: str) -> str:
    raise LookupError(f"The method {method} has no page in docs/methods.")


def _row(method: Method) -> tuple[str, ...]:
    names = {full: alias for alias, full in known_aliases().items()}
    presets = [f"`{name}`" + (f" (= `{names[name]}`)" if name in names else "") for name in method.presets]
    paper = method.paper.removeprefix("https://").partition("/")
    where = f"[{paper[2].removeprefix('abs/') if paper[0] == 'arxiv.org' else paper[0]}]({method.paper})"
    others = [f"{_rate(rate)} (`{preset}`)" for preset, rate in method.rates.items()]
    rate = ", ".join([_rate(method.learning_rate), *others])
    name = f"[{method.name}]({page_of(method.name)})"
    return name, ", ".join(presets), _places(method), rate, _merging(method), where


def _rate(rate: float) -> str:
    return f"{rate:.0e}".replace("e-0", "e-")


def _places(method: Method) -> str:
    """The roles that the presets aim at; of methods with targets, the default ones."""
    if issubclass(method.config, BlockConfig):
        return f"a {method.config.block}'s children"
    found = [role for name in method.presets for role in _made(name, method).roles()]
    text = ", ".join(dict.fromkeys(found))
    fields = {field.name for field in dataclasses.fields(method.config)}
    return f"`targets`, by default {text}" if "targets" in fields and method.name != "ia3" else text


def _made(preset: str, method: Method) -> MethodConfig:
    return preset_config(preset, _NEEDED.get(method.name, {}))


def _merging(method: Method) -> str:
    """What the contract says of the method's cases."""
    if issubclass(method.config, BlockConfig):
        return ""
    cases = [case for case in METHODS.values() if parse_config(case.config).method == method.name]
    if not cases:
        raise LookupError(f"The contract has no case of {method.name}.")
    if all(case.is_mergeable for case in cases):
        return "yes"
    if any(case.is_mergeable for case in cases):
        return "yes, unless gated"
    return _SOMETIMES.get(method.name, "no")


# Methods whose case in the contract is one that cannot be merged on every model.
_SOMETIMES = {
    "bitfit": "where the map has a bias",
    "trainable_tokens": "where the head is not tied",
}


def main() -> None:
    """Write all tables."""
    for path, text in pages():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
