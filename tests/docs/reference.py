"""docs/reference.md: every public name, written from the code, and the command that writes it.

`python -m tests.docs.reference`
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from adapter_lib.spec.configs import MethodConfig, known_presets, preset_class
from tests.docs.markers import DOCS, table
from tests.docs.methods_table import page_of
from tests.docs.public_names import PublicName, public_names

PAGE = DOCS / "reference.md"


@dataclass(frozen=True)
class Section:
    """A part of the page. homes: patterns of the modules whose names stand here. names: those of others."""

    title: str
    page: str
    homes: tuple[str, ...]
    names: tuple[str, ...] = ()


SECTIONS = (
    Section(
        "Preparing a model",
        "quick-start.md",
        (
            "adapter_lib.model.init",
            "adapter_lib.model.auto",
            "adapter_lib.model.facade",
            "adapter_lib.families*",
            "adapter_lib.methods*",
        ),
        ("AdapterLibError", "AutoAdapterModel"),
    ),
    Section(
        "Adapters",
        "methods/README.md",
        (
            "adapter_lib.model.life",
            "adapter_lib.model.ejecting",
            "adapter_lib.model.sharing",
            "adapter_lib.spec.strings",
        ),
    ),
    Section(
        "Which adapters act: composition",
        "methods/composition.md",
        (
            "adapter_lib.spec.composition*",
            "adapter_lib.model.activation",
            "adapter_lib.model.learned",
            "adapter_lib.model.setup",
        ),
    ),
    Section(
        "Heads",
        "heads.md",
        ("adapter_lib.heads*", "adapter_lib.model.*head*", "adapter_lib.model.predicting"),
    ),
    Section(
        "Training",
        "training.md",
        ("adapter_lib.training*", "adapter_lib.model.training"),
        ("train_adapter_fusion", "train_route"),
    ),
    Section(
        "Saving and loading",
        "saving-and-loading.md",
        (
            "adapter_lib.model.files",
            "adapter_lib.model.block_files",
            "adapter_lib.model.setup_files",
            "adapter_lib.model.hub_setups",
            "adapter_lib.model.setup_loading",
        ),
    ),
    Section(
        "Embeddings",
        "saving-and-loading.md",
        ("adapter_lib.model.embeddings", "adapter_lib.model.embedding_files", "adapter_lib.model.vocabulary"),
    ),
    Section(
        "Merging",
        "merging.md",
        ("adapter_lib.merging*", "adapter_lib.model.merging_methods", "adapter_lib.model.weights"),
    ),
    Section("The hub", "quick-start.md", ("adapter_lib.hub*",)),
    Section("Pictures", "methods/composition.md", ("adapter_lib.inspection*",)),
    Section("Configs", "methods/README.md", ("adapter_lib.spec.configs*",)),
)

# What these arguments mean wherever they stand; docstrings need not say it again.
COMMON: Mapping[str, str] = {
    "model": "a model that `adapter_lib.init` has prepared",
    "name": "what an adapter, a head, a vocabulary … is called on the model, or is to be called",
    "names": "several of them",
    "adapters": "the names of adapters on the model",
    "children": "names of adapters, or blocks",
    "head": 'a head by its name, by default the active one; `"auto"` is the one with the adapter\'s name',
    "labels": "the names of a head's classes, in order",
    "num_labels": "how many classes it has, if `labels` does not name them",
    "activation": "the function between a head's layers",
    "dropout": "the probability with which a head's inputs are dropped in training",
    "use_bias": "whether the last layer of a head has a bias",
    "folder": "where files are read or written; a path",
    "overwrite": "replace what has this name already; otherwise that is an error",
    "title": "stands above a picture",
    "endpoint": "the address of the hub, by default that of ADAPTER_HUB_ENDPOINT",
    "token": "your token on the hub, by default that of ADAPTER_HUB_TOKEN",
}

_HEAD = """# Reference

Every public name in one sentence; `help(name)` tells its arguments, what it returns and what it raises.
Names without an owner are imported from `adapter_lib`; `model.…` are the methods of a model that
[`adapter_lib.init`](quick-start.md) has prepared. This page is written from the code:
`python -m tests.docs.reference`.
"""


def section_of(name: PublicName) -> Section:
    """Where a name stands. Raises LookupError if it stands nowhere."""
    for section in SECTIONS:
        if name.name in section.names:
            return section
    home = name.home()
    found = [section for section in SECTIONS if any(fnmatchcase(home, pattern) for pattern in section.homes)]
    if not found:
        raise LookupError(f"{name.name} of {home} has no section: say which in tests/docs/reference.py.")
    return found[0]


def render() -> str:
    """The whole page."""
    names = list(public_names())
    parts = [_HEAD, *(_section(section, names) for section in SECTIONS), _common()]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _section(section: Section, names: Iterable[PublicName]) -> str:
    mine = [name for name in names if section_of(name) is section]
    rows = [(_shown(name), _sentence(name)) for name in mine]
    read = _told_in(section.page) if (DOCS / section.page).exists() else ""
    return f"## {section.title}\n{read}{table(('name', 'what it is'), rows)}"


def _told_in(page: str) -> str:
    heading = (DOCS / page).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    return f"More in [{heading}]({page}).\n\n"


def _common() -> str:
    rows = [(f"`{name}`", f"{meaning}.") for name, meaning in COMMON.items()]
    return f"## Arguments that mean the same everywhere\n{table(('argument', 'meaning'), rows)}"


def _shown(name: PublicName) -> str:
    owner = "" if name.owner == "adapter_lib" else f"{name.owner}."
    has_call = name.is_called() and not (isinstance(name.value, type) and not name.parameters())
    shown = f"`{owner}{name.name}{f'({_arguments(name)})' if has_call else ''}`"
    if isinstance(name.value, type) and issubclass(name.value, MethodConfig):
        presets = [f"`{preset}`" for preset in known_presets() if preset_class(preset) is name.value]
        return " ".join([f"[{shown}](methods/{_page(name.value)})", *presets])
    return shown


def _page(config: type[MethodConfig]) -> str:
    return "unions-and-gating.md" if config.method == "union" else page_of(config.method)


def _arguments(name: PublicName) -> str:
    """The arguments by name and default, without their types."""
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in name.parameters()]
    return str(inspect.Signature(bare))[1:-1].replace("'", '"')


def _sentence(name: PublicName) -> str:
    return f"{name.sentence()} *Property.*" if isinstance(name.value, property) else name.sentence()


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
