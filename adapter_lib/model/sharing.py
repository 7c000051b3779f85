"""Parameters that the adapters of several tasks have in common."""

from collections.abc import Sequence

from adapter_lib.model.activation import Activation


class Sharing(Activation):
    """Tying parameters, and letting them go apart again."""

    def share_parameters(self, names: Sequence[str], reference: str | None = None) -> int:
        """Let adapters of one kind have in common what their method can share (MTL-LoRA: A and the B_i).

        The values of `reference` stay, by default those of the first. Training one then trains all; each is
        saved with its own copy, so share them again after loading. Returns how many parameters are shared.
        Raises UnknownNameError, or AttachError if the method shares nothing or the adapters differ in places
        or shapes.
        """
        reference = names[0] if reference is None and names else reference
        known = [*names] if reference is None else [reference, *(name for name in names if name != reference)]
        self._check_known(known)
        return self.adapter_runtime.injection.share(known)

    def unshare_parameters(self, names: Sequence[str]) -> int:
        """Give each of the adapters a copy of its own of what it shares; returns how many those were.

        Adapters that are not named keep sharing with each other. Raises UnknownNameError.
        """
        self._check_known(names)
        return self.adapter_runtime.injection.unshare(names)
