"""Which methods a word means: a preset, an alias of one (`pfeiffer`), or a method with all its presets."""

from adapter_lib.spec.configs.registry import known_methods, known_presets, preset_class
from adapter_lib.spec.errors import ConfigError
from adapter_lib.spec.strings import parse_config


def method_names(word: str) -> frozenset[str]:
    """The names under which cards list the method called `word`; empty if no method is called so."""
    wanted = word.strip().lower().replace("-", "_")
    if wanted in known_methods():
        return frozenset({wanted, *(name for name in known_presets() if preset_class(name).method == wanted)})
    try:
        return frozenset({parse_config(wanted).name()})
    except ConfigError:
        return frozenset()
