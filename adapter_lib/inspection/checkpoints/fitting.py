"""Whether a checkpoint of ours fits a backbone of which only the config is read."""

from transformers import AutoConfig

from adapter_lib.formats.expected import check_tensors_against
from adapter_lib.formats.reading import read_object
from adapter_lib.formats.skeleton import skeleton
from adapter_lib.inspection.checkpoints.report import Checkpoint, Problem
from adapter_lib.spec.errors import LoadError
from adapter_lib.spec.manifest import CONFIG_FILE, parse_manifest
from adapter_lib.spec.safetensors_header import read_header


def fit_problems(checkpoint: Checkpoint, backbone: str) -> list[Problem]:
    """What the tensors have too little, too much or of a wrong shape for a backbone (its folder or id).

    Raises LoadError for a foreign format (its importer tells, when it is converted) and for no such backbone.
    """
    if checkpoint.format != "native":
        raise LoadError(
            f"Only native adapters are checked against a backbone; convert this {checkpoint.format} one."
        )
    try:
        config = AutoConfig.from_pretrained(backbone, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:300]
        raise LoadError(f"The config of the backbone {backbone!r} could not be loaded: {reason}") from error
    manifest = parse_manifest(read_object(checkpoint.folder / CONFIG_FILE))
    found = check_tensors_against(manifest, read_header(checkpoint.weights[0]), skeleton(config.to_dict()))
    return [Problem(f"fit.{problem.kind}", problem.message) for problem in found]
