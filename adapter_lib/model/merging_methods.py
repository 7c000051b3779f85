"""One adapter of several adapters."""

from collections.abc import Sequence

from adapter_lib.merging import (
    AverageReport,
    Changes,
    LoRAReport,
    MadeLoRA,
    Strategy,
    Weights,
    check_equal,
    check_has_mean,
    checked,
    lora_of,
    mean_parameters,
    write_parameters,
)
from adapter_lib.methods import method_of
from adapter_lib.model.life import Life
from adapter_lib.spec.configs import MethodConfig, UnionConfig
from adapter_lib.spec.errors import AttachError, ConfigError

_OF_MEANS = ("linear", "svd", "parameters")


class MergingMethods(Life):
    """Averaging adapters, combining their updates, and writing any update as a LoRA."""

    def combine_adapters(
        self,
        name: str,
        adapters: Sequence[str],
        weights: Weights | None = None,
        *,
        strategy: str = "linear",
        rank: int | None = None,
        energy: float | None = None,
        density: float | None = None,
        elect: str = "total",
        trim: str = "map",
        seed: int = 0,
        drop_biases: bool = False,
        overwrite: bool = False,
    ) -> LoRAReport:
        """Add a LoRA that does at once what several updates of weights do, weighted: Σ wᵢ ΔWᵢ or a variant.

        All methods that are changes of maps' weights can be mixed, at any places and of any ranks; what one
        of them does not change counts as zero there. All strategies act on the updates, never on factors.

        weights: by default 1 each, not normalised; negative ones take away (task arithmetic).
        strategy:
            "linear": Σ wᵢ ΔWᵢ, exactly, in the smallest rank that holds it (Ilharco et al. 2023).
            "cat": the same by putting the factors side by side, of rank Σ rᵢ; low-rank methods only.
            "svd": the same, cut to a rank or an energy share.
            "ties": trim, elect signs, mean of what agrees (Yadav et al. 2023).
            "dare_linear", "dare_ties": drop at random and rescale, then sum or TIES (Yu et al. 2024).
            "magnitude_prune": keep the largest entries, then sum.
        rank, energy: keep at most this rank, or the smallest that holds this share of Σ sᵢ²; both None keep
            all, which for the last four can be as much as the weight itself.
        density: the share of entries that TIES, DARE and pruning keep. trim: TIES and pruning keep the
            largest of every "map", or of the "whole" adapter. elect: TIES elects signs by "total" or "count".
        seed: of DARE's random numbers.
        drop_biases: leave out changes of biases, which a LoRA cannot make, instead of refusing them.
        Raises UnknownNameError, ConfigError, or AttachError if an adapter is no change of weights; then
        nothing has changed.
        """
        shares = checked(adapters, weights, normalise=False)
        self._check_known(adapters)
        chosen = Strategy(
            name=strategy, rank=rank, energy=energy, density=density, elect=elect, trim=trim, seed=seed
        )
        made = self._made(adapters, shares, chosen, drop_biases=drop_biases)
        return self._attach_lora(name, adapters, made, strategy, overwrite=overwrite)

    def to_lora(
        self,
        source: str,
        name: str,
        *,
        rank: int | None = None,
        energy: float | None = 0.99,
        drop_biases: bool = False,
        overwrite: bool = False,
    ) -> LoRAReport:
        """Add a LoRA that does what an adapter does, by the singular values of its change of each weight.

        The change is W' - W as merging makes it, so that scaling and turning methods have one too.

        source: the adapter, which stays as it is.
        energy: per place, keep the smallest rank that holds this share of Σ sᵢ²; None keeps all. rank: keep
        at most so many. The report tells the relative error, √(1 - share) or less if no rank is in the way.
        Raises UnknownNameError, ConfigError, or AttachError if the adapter is no change of weights, or
        changes biases and `drop_biases` does not allow for it.
        """
        self._check_known([source])
        is_cut = rank is not None or energy is not None
        chosen = Strategy(name="svd" if is_cut else "linear", rank=rank, energy=energy)
        made = self._made([source], [1.0], chosen, drop_biases=drop_biases)
        return self._attach_lora(name, [source], made, "svd", overwrite=overwrite)

    def average_adapter(
        self,
        name: str,
        adapters: Sequence[str],
        weights: Weights | None = None,
        *,
        normalise: bool = True,
        strategy: str = "linear",
        rank: int | None = None,
        energy: float | None = None,
        overwrite: bool = False,
    ) -> AverageReport:
        """Add the weighted mean of adapters that have one config.

        normalise: divide the weights (by default 1 each) by their sum.
        strategy:
            "linear": the mean of what the adapters do. Where an update is a product of parameters (LoRA and
                its kin) that is the mean of the updates, and the result a LoRA as `combine_adapters` makes
                it; else the mean of the parameters, of the same method. OFT and BOFT stay rotations: what is
                averaged is the skew matrix that the Cayley transform takes.
            "svd": as "linear", the LoRA cut to `rank` or `energy`.
            "parameters": the mean of all parameters whatever they are, as `adapters` does it; of products
                that is not the mean of the updates, but the method and rank stay.
        A union is averaged member by member. The heads of the adapters' names are not averaged
        with them: average_head() does that.
        Raises UnknownNameError, ConfigError, or AttachError for different configs or a method without a mean.
        """
        shares = checked(adapters, weights, normalise=normalise)
        self._check_known(adapters)
        injection = self.adapter_runtime.injection
        config = check_equal({each: injection.configs[each] for each in adapters})
        made = self._made_members(adapters, shares, config, _strategy(strategy, rank, energy, config))
        if strategy != "parameters":
            check_has_mean(config)
        values = mean_parameters(injection, adapters, shares, without=_numbers(config, made))
        self._make_room(name, overwrite=overwrite)
        attached = injection.attach(name, _with_members(config, made), initialise=False)
        write_parameters(injection, name, values)
        for number, lora in made.items():
            lora.fill(injection, name, str(number))
        self._note_keys()
        count, given = attached.parameters, tuple(adapters)
        losses = tuple(lora.report(name, adapters, strategy, count) for lora in made.values())
        return AverageReport(name, given, strategy, attached.method, count, losses)

    def _made(
        self, adapters: Sequence[str], weights: Sequence[float], strategy: Strategy, *, drop_biases: bool
    ) -> MadeLoRA:
        injection = self.adapter_runtime.injection
        self._check_unmerged()
        configs = [member for name in adapters for member in injection.configs[name].members()]
        sources = [Changes(injection, name) for name in adapters]
        return lora_of(sources, weights, configs, strategy, drop_biases=drop_biases)

    def _made_members(
        self,
        adapters: Sequence[str],
        weights: Sequence[float],
        config: MethodConfig,
        strategy: Strategy | None,
    ) -> dict[int, MadeLoRA]:
        """By its number, the LoRA that a member becomes whose updates are averaged."""
        if strategy is None:
            return {}
        self._check_unmerged()
        members, injection = config.members(), self.adapter_runtime.injection
        found: dict[int, MadeLoRA] = {}
        for number, member in enumerate(members):
            if method_of(member).is_product:
                own = str(number) if len(members) > 1 else None
                sources = [Changes(injection, name, own) for name in adapters]
                found[number] = lora_of(sources, weights, [member], strategy)
        return found

    def _attach_lora(
        self, name: str, adapters: Sequence[str], made: MadeLoRA, strategy: str, *, overwrite: bool
    ) -> LoRAReport:
        injection = self.adapter_runtime.injection
        self._make_room(name, overwrite=overwrite)
        report = injection.attach(name, made.config, initialise=False)
        made.fill(injection, name)
        self._note_keys()
        return made.report(name, adapters, strategy, report.parameters)

    def _check_unmerged(self) -> None:
        if (merged := self.adapter_runtime.injection.merged()) is not None:
            raise AttachError(
                f"{merged!r} is merged into the weights, which hides what they were: reset_adapter() first."
            )


def _strategy(name: str, rank: int | None, energy: float | None, config: MethodConfig) -> Strategy | None:
    """How members that are products are averaged; None: like all others, by their parameters."""
    if name not in _OF_MEANS:
        raise ConfigError(
            f"An average is {', '.join(_OF_MEANS)}, not {name!r}; combine_adapters() has more strategies."
        )
    if name != "parameters":
        found = Strategy(name=name, rank=rank, energy=energy)
        if name == "svd" and not any(method_of(member).is_product for member in config.members()):
            raise ConfigError(
                f"svd is for updates that are products; {config.name()} is averaged by 'linear'."
            )
        return found
    if rank is not None or energy is not None:
        raise ConfigError("The mean of parameters takes no rank and no energy; strategy='svd' does.")
    return None


def _with_members(config: MethodConfig, made: dict[int, MadeLoRA]) -> MethodConfig:
    if not made:
        return config
    members = config.members()
    changed = tuple(made[i].config if i in made else member for i, member in enumerate(members))
    return changed[0] if len(members) == 1 else UnionConfig(configs=changed)


def _numbers(config: MethodConfig, made: dict[int, MadeLoRA]) -> set[str]:
    """Under which numbers the parameters stand of the members that became LoRAs."""
    return {str(number) if len(config.members()) > 1 else "" for number in made}
