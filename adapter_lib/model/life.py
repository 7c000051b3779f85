"""Adding and deleting adapters."""

from adapter_lib.inject import AttachReport
from adapter_lib.model.activation import Activation
from adapter_lib.model.status import AdapterStatus, status_of
from adapter_lib.model.summary import AdapterSummary, summarise
from adapter_lib.points import CHILD_PREFIX
from adapter_lib.spec.composition import check_adapter_name
from adapter_lib.spec.configs import MethodConfig
from adapter_lib.spec.errors import AttachError
from adapter_lib.spec.strings import parse_config


class Life(Activation):
    """From adding an adapter to deleting it."""

    def add_adapter(
        self, name: str, config: str | MethodConfig = "seq_bn", *, overwrite: bool = False
    ) -> AttachReport:
        """Add an adapter, inactive at first; the report counts its places and parameters.

        Raises CompositionError for a name that cannot be, ConfigError for a bad config, AttachError for a
        name that exists (without `overwrite`), FamilyError if the config acts where this family has
        nothing.
        """
        parsed, injection = parse_config(config), self.adapter_runtime.injection
        injection.atlas.find_all(parsed)
        self._make_room(name, overwrite=overwrite)
        report = injection.attach(name, parsed)
        self._note_keys()
        return report

    def delete_adapter(self, name: str) -> None:
        """Remove an adapter (not its head); a composition that names it is switched off.

        Raises UnknownNameError, or AttachError if it is merged into the weights together with others.
        """
        self._check_known([name])
        runtime = self.adapter_runtime
        was_active = runtime.injection.block is not None and name in runtime.injection.block.names()
        runtime.injection.remove(name)
        if was_active:
            self.set_active_adapters(None)
        self._note_keys()

    def adapter_summary(self) -> AdapterSummary:
        """A table of the adapters; print it."""
        backbone = sum(p.numel() for n, p in self.named_parameters() if CHILD_PREFIX not in n)
        return summarise(self.adapter_runtime, backbone)

    def adapter_status(self) -> AdapterStatus:
        """A table of every place that has adapters, and what each does there now; print it."""
        return status_of(self.adapter_runtime)

    def _make_room(self, name: str, *, overwrite: bool) -> None:
        check_adapter_name(name)
        if name in self.adapter_runtime.injection.configs:
            if not overwrite:
                raise AttachError(f"There is an adapter {name!r} already; overwrite=True replaces it.")
            self.delete_adapter(name)
