"""What a prepared model can do: the words of `adapters`, thin over the engine.

transformers' own PreTrainedModel has methods of some of these names (for PEFT); ours stand in front of them
on purpose.
"""

from adapter_lib.model.ejecting import Ejecting
from adapter_lib.model.files import Files
from adapter_lib.model.learned import LearnedBlocks
from adapter_lib.model.sharing import Sharing
from adapter_lib.model.training import Training
from adapter_lib.model.weights import Weights


class AdapterModel(Ejecting, Files, LearnedBlocks, Sharing, Training, Weights):
    """The methods that `adapter_lib.init` gives a model."""
