"""What a prepared model can do: the words of `adapters`, thin over the engine.

transformers' own PreTrainedModel has methods of some of these names (for PEFT); ours stand in front of them
on purpose.
"""

from adapter_lib.model.ejecting import Ejecting
from adapter_lib.model.hub_setups import HubSetups
from adapter_lib.model.merging_methods import MergingMethods
from adapter_lib.model.sharing import Sharing
from adapter_lib.model.static_heads import StaticHeads
from adapter_lib.model.training import Training
from adapter_lib.model.weights import Weights


class AdapterModel(Ejecting, HubSetups, MergingMethods, Sharing, StaticHeads, Training, Weights):
    """The methods that `adapter_lib.init` gives a model."""
