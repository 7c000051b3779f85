"""The pair B A of one module, and what the settings say of it."""

from torch import Tensor, nn

from adapter_lib.formats.peft.checkpoint import Checkpoint
from adapter_lib.formats.peft.modules import check_shape
from adapter_lib.formats.peft.settings import CONFIG_FILE, Settings
from adapter_lib.points import maps
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.strict_json import quoted

# Starts that leave the base's weights as they are, and those that take themselves off the weights again.
_PLAIN = ("true", "false", "gaussian", "orthogonal", "eva", "mica")
_PRINCIPAL = ("pissa", "olora")
_NOT_STORED = {
    "pissa_niter": "draws its start at random",
    "corda": "starts from data that the file does not hold",
    "lora_ga": "starts from gradients that the file does not hold",
    "loftq": "puts quantised weights, which the file does not hold, in the place of the base's",
}
_CONVERT = (
    "Saved with PEFT's path_initial_model_for_weight_conversion it is an ordinary LoRA, which can be read."
)
EMBEDDING = "lora_embedding_A"


def start_of(settings: Settings) -> str:
    """The start that was taken off the base's weights: "pissa", "olora", or "lora" where none was.

    Raises LoadError for one that the file does not tell.
    """
    given = settings.get("init_lora_weights")
    kind = str(True if given is None else given).lower()
    if kind in _PLAIN:
        return "lora"
    if kind in _PRINCIPAL:
        return kind
    why = next((why for name, why in _NOT_STORED.items() if kind.startswith(name)), "is not known")
    raise LoadError(f"{CONFIG_FILE}: init_lora_weights {quoted(kind)} {why}. {_CONVERT}")


def alpha_of(settings: Settings, path: str) -> float:
    """alpha of one module."""
    return settings.by_pattern("alpha_pattern", path, settings.number("lora_alpha", 8))


def check_rank(settings: Settings, path: str, rank: int) -> None:
    """Raises LoadError if a module's tensors have another rank than the settings say."""
    said = settings.by_pattern("rank_pattern", path, settings.whole("r", 8))
    if said != rank:
        raise LoadError(f"{path} has the rank {rank} in the file, and {CONFIG_FILE} says {said:g}.")


def root_of(settings: Settings, rank: int) -> float:
    """What alpha is divided by."""
    return rank**0.5 if settings.flag("use_rslora") else float(rank)


def scale_of(settings: Settings, path: str, rank: int) -> float:
    """s of one module."""
    return alpha_of(settings, path) / root_of(settings, rank)


def pair(checkpoint: Checkpoint, path: str, module: nn.Module) -> tuple[Tensor, Tensor]:
    """A and B as ours: an embedding's have the layout of ours, a convolution's B loses its kernel of ones."""
    (width_in, width_out), extent = maps.widths(module), maps.extent(module)
    if EMBEDDING in checkpoint.adapted[path]:
        a, b = checkpoint.take(path, EMBEDDING), checkpoint.take(path, "lora_embedding_B")
    else:
        a, b = checkpoint.take(path, "lora_A.weight"), checkpoint.take(path, "lora_B.weight")
    rank = a.shape[0] if a.dim() else 0
    check_shape(path, "lora_A", a, (rank, width_in, *extent))
    flat = b.flatten(1) if b.dim() > 1 else b
    return a, check_shape(path, "lora_B", flat, (width_out, rank))
