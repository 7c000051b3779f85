"""Adapters from a training script's command line."""

from dataclasses import dataclass, field
from pathlib import Path

from adapter_lib.hub.loading import find_source
from adapter_lib.hub.settings import hub_settings
from adapter_lib.hub.sources import Request
from adapter_lib.model import AdapterModel
from adapter_lib.spec.composition import Stack
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.strings import parse_config


@dataclass
class AdapterArguments:
    """What a script asks about adapters, for transformers' HfArgumentParser.

    The names are those that scripts for the library `adapters` have.
    """

    train_adapter: bool = field(
        default=False, metadata={"help": "Train an adapter and leave the model's own weights as they are."}
    )
    adapter_config: str = field(
        default="seq_bn",
        metadata={"help": "The method as a config string, such as seq_bn or lora[r=16,alpha=32]."},
    )
    load_adapter: str | None = field(
        default=None,
        metadata={"help": "Start from this adapter: a folder, a zip archive, hub:NAMESPACE/NAME or hf:NAME."},
    )
    load_lang_adapter: str | None = field(
        default=None,
        metadata={"help": "Stack the trained adapter on this language adapter, which stays as it is."},
    )
    lang_adapter_config: str | None = field(
        default=None,
        metadata={"help": "The config string that the language adapter must have; by default any will do."},
    )


def setup_adapter_training(
    model: AdapterModel, arguments: AdapterArguments, name: str
) -> tuple[str | None, str | None]:
    """Add or load what the arguments ask for, train the adapter and nothing else, and let it act.

    name: what the trained adapter is called; one that is on the model already is taken as it is, unless
    there is one to load. With a language adapter the two act as Stack(language, name).
    Returns the names of the trained and of the language adapter, None for what there is not. Without
    `train_adapter` nothing is done.
    Raises ConfigError if adapters are to be loaded without train_adapter, or the language adapter is of
    another config; LoadError and others as `load_adapter` does.
    """
    if not arguments.train_adapter:
        if arguments.load_adapter or arguments.load_lang_adapter:
            raise ConfigError("Adapters are loaded to be trained: add --train_adapter.")
        return None, None
    if arguments.load_adapter:
        _load(model, arguments.load_adapter, name)
    elif name not in model.adapter_runtime.injection.configs:
        model.add_adapter(name, arguments.adapter_config)
    language = _load_language(model, arguments, name)
    model.train_adapter(name)
    if language is not None:
        head = model.active_head
        model.set_active_adapters(Stack(language, name), head=head)
    return name, language


def _load_language(model: AdapterModel, arguments: AdapterArguments, trained: str) -> str | None:
    source = arguments.load_lang_adapter
    if not source:
        return None
    name = _name_of(source)
    if name == trained:
        name = f"{name}_language"
    if name not in model.adapter_runtime.injection.configs:
        _load(model, source, name)
    config, asked = model.adapter_runtime.injection.configs[name], arguments.lang_adapter_config
    if asked and parse_config(asked) != config:
        raise ConfigError(f"The language adapter {source} is {config}, not {parse_config(asked)}.")
    return name


def _load(model: AdapterModel, source: str, name: str) -> None:
    if Path(source).exists():
        model.load_adapter(source, name=name, overwrite=True)
        return
    found = find_source(hub_settings(None, None), Request(source, None), model)  # type: ignore[arg-type]
    model.load_adapter(found.folder, name=name, overwrite=True)


def _name_of(source: str) -> str:
    """What an adapter from a folder, an archive or a hub is called; names have no dots."""
    last = source.partition("@")[0].rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return last.removesuffix(".zip").replace(".", "_")
