"""Cases of several adapters under the peer's composition blocks; members are shared between cases."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.interop.adapters_cases.families import Family
from tests.interop.adapters_cases.heads import HEADS, Head
from tests.interop.adapters_cases.methods import ALL, FEW, OPTIONS, TWO_SIDED, Config
from tests.interop.adapters_cases.peer import adapters, composition

# The member adapters that cases name; each is made from a seed of its own name, alike in every case.
MEMBERS: dict[str, Config] = {
    **{f"bn_{x}": lambda: adapters.SeqBnConfig(reduction_factor=8) for x in "abc"},
    **{f"houlsby_{x}": lambda: adapters.DoubleSeqBnConfig(reduction_factor=8) for x in "ab"},
    "par_a": lambda: adapters.ParBnConfig(reduction_factor=4),
    **{f"lora_{x}": lambda: adapters.LoRAConfig(r=2, alpha=4) for x in "abc"},
    **{f"prefix_{x}": lambda: adapters.PrefixTuningConfig(flat=True, prefix_length=3) for x in "ab"},
    **{f"ia3_{x}": lambda: adapters.IA3Config() for x in "ab"},
    **{f"compacter_{x}": lambda: adapters.CompacterPlusPlusConfig(reduction_factor=4) for x in "ab"},
    **{f"mtl_{x}": lambda: adapters.MTLLoRAConfig(r=2, alpha=4, n_up_projection=2) for x in "ab"},
}

FUSIONS: dict[str, Config] = {
    "static": lambda: adapters.StaticAdapterFusionConfig(),
    "dynamic": lambda: adapters.DynamicAdapterFusionConfig(),
    "before": lambda: adapters.DynamicAdapterFusionConfig(query_before_ln=True, residual_before=True),
    "value_after": lambda: adapters.DynamicAdapterFusionConfig(value_before_softmax=False),
}


@dataclass(frozen=True)
class Case:
    """Adapters by name, the setup to activate, and whatever else the forward needs."""

    name: str
    configs: dict[str, Config]
    setup: Any
    fusion: str | None = None
    shared: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    attention: str = "eager"
    padded: bool = True
    head: Head | None = None
    merged: dict[str, Any] | None = None

    @property
    def saved(self) -> tuple[str, ...]:
        """The adapters that the setup needs: the members, or the one that was merged of them."""
        return (self.name,) if self.merged else tuple(sorted(self.configs))

    @property
    def fusion_folder(self) -> str | None:
        """Where the case's fusion is stored; cases that fuse the same adapters alike share it."""
        fused = fusions_of(self.setup)
        return f"{self.fusion}-{fused[0].name.replace(',', '-')}" if self.fusion and fused else None

    @property
    def setup_json(self) -> Any:
        """The setup as the peer writes it, or the adapter's name."""
        return self.setup if isinstance(self.setup, str) else self.setup.to_dict()


# What average_adapter is given, by case name, and the members that it merges.
MERGED: dict[str, tuple[str, dict[str, Any]]] = {
    "merged_lora_linear": ("lora", {"weights": [0.25, 0.5]}),
    "merged_lora_raw": ("lora", {"weights": [0.5, 1.5], "normalize_weights": False}),
    "merged_lora_negate_b": (
        "lora",
        {
            "weights": [1.0, -0.5],
            "normalize_weights": False,
            "combine_strategy": "lora_linear_only_negate_b",
        },
    ),
    "merged_lora_svd": (
        "lora",
        {
            "weights": [1.0, -0.5],
            "normalize_weights": False,
            "combine_strategy": "lora_delta_w_svd",
            "svd_rank": 3,
        },
    ),
    "merged_bn": ("bn", {"weights": [0.25, 0.5]}),
    "merged_prefix": ("prefix", {"weights": [0.25, 0.5]}),
    "merged_ia3": ("ia3", {"weights": [0.25, 0.5]}),
}

# In eager mode these crash where query and key end with unequal batch sizes; sdpa computes the same numbers.
_NEEDS_SDPA = {(family, f"parallel_{method}") for family in ("bert", "vit") for method in ("lora", "ia3")}
# Methods that read the mask, or average over tokens; and one of each other kind.
_LOOKS_AT_PADDING = ("prefix", "prompt", "reft", "gated", "mam", "unipelt", "lora_all", "double_seq_bn")
# The composed cases in which padding takes another path than without composition.
_COMPOSED_PADDED = {"parallel_bn", "parallel_prefix", "batch_split_prefix", "stack_prefix", "stack_parallel"}


def fusions_of(setup: Any) -> list[Any]:
    """Every Fuse block of a setup."""
    if isinstance(setup, str):
        return []
    found = [setup] if isinstance(setup, composition.Fuse) else []
    return found + [fuse for child in setup for fuse in fusions_of(child)]


def cases_of(family: Family) -> Iterator[Case]:
    """Every case this family gets."""
    methods = {**(ALL if family.full else FEW), **(OPTIONS if family.options else {})}
    if family.name in ("t5", "bart"):
        methods |= TWO_SIDED
    for name, (config, head) in HEADS.get(family.name, {}).items():
        yield Case(name, {name: config}, name, head=head)
    for name, config in methods.items():
        yield Case(name, {name: config}, name, padded=any(word in name for word in _LOOKS_AT_PADDING))
    for name, (members, options) in MERGED.items() if family.name == "bert" else ():
        configs = {f"{members}_{x}": MEMBERS[f"{members}_{x}"] for x in "ab"}
        yield Case(name, configs, name, merged=options, padded=False)
    for case in _composed(family) if family.full else ():
        sdpa = (family.name, case.name) in _NEEDS_SDPA
        yield replace(
            case,
            attention="sdpa" if sdpa else "eager",
            padded=family.options and case.name in _COMPOSED_PADDED,
        )


def _composed(family: Family) -> Iterator[Case]:
    for name, setup in _setups(family.tokens).items():
        yield _case(name, setup)
    for kind in FUSIONS if family.options else ("static", "dynamic"):
        yield _case(f"fuse_{kind}", composition.Fuse("bn_a", "bn_b"), fusion=kind)
    stacked = composition.Stack("bn_c", composition.Fuse("bn_a", "bn_b"))
    yield _case("stack_bn_fuse", stacked, fusion="dynamic")
    if family.options:
        yield _case("fuse_three", composition.Fuse("bn_a", "bn_b", "bn_c"), fusion="dynamic")
        yield _case("fuse_houlsby", composition.Fuse("houlsby_a", "houlsby_b"), fusion="dynamic")
        inside = composition.Fuse(composition.Stack("bn_c", "bn_a"), "bn_b")
        yield _case("fuse_bn_stack", inside, fusion="dynamic")
    yield _multi_task()


def _case(name: str, setup: Any, **options: Any) -> Case:
    return Case(name, {member: MEMBERS[member] for member in sorted(setup.flatten())}, setup, **options)


def _multi_task() -> Case:
    shared = ("mtl_a", "mtl_b")
    return _case(
        "multi_task_mtl", composition.MultiTask(*shared), shared=shared, extra={"task_ids": [1, 0, 1]}
    )


def _setups(tokens: int) -> dict[str, Any]:
    halves = [3, tokens - 3]
    return {**_plain_blocks(halves), **_method_blocks(), **_nested_blocks(halves)}


def _plain_blocks(halves: list[int]) -> dict[str, Any]:
    block = composition
    return {
        "stack_bn": block.Stack("bn_a", "bn_b"),
        "parallel_bn": block.Parallel("bn_a", "bn_b"),
        "batch_split_bn": block.BatchSplit("bn_a", "bn_b", batch_sizes=[2, 1]),
        "split_bn": block.Split("bn_a", "bn_b", splits=halves),
        "average_bn": block.Average("bn_a", "bn_b"),
        "average_bn_weighted": block.Average("bn_a", "bn_b", weights=[0.2, 0.6]),
        "average_bn_raw": block.Average("bn_a", "bn_b", weights=[0.5, 2.0], normalize_weights=False),
        "parallel_houlsby": block.Parallel("houlsby_a", "houlsby_b"),
        "parallel_par": block.Parallel("par_a", "bn_a"),
        "stack_mixed": block.Stack("bn_a", "lora_a"),
        "parallel_mixed": block.Parallel("bn_a", "lora_a"),
    }


def _method_blocks() -> dict[str, Any]:
    found: dict[str, Any] = {}
    makers: dict[str, Callable[[str, str], Any]] = {
        "stack": composition.Stack,
        "parallel": composition.Parallel,
        "batch_split": lambda a, b: composition.BatchSplit(a, b, batch_sizes=[1, 2]),
        "average": lambda a, b: composition.Average(a, b, weights=[0.25, 0.75]),
    }
    for block, make in makers.items():
        for method in ("lora", "prefix", "ia3", "compacter"):
            found[f"{block}_{method}"] = make(f"{method}_a", f"{method}_b")
    return found


def _nested_blocks(halves: list[int]) -> dict[str, Any]:
    block = composition
    return {
        "parallel_stack": block.Parallel(block.Stack("bn_a", "bn_b"), "bn_c"),
        "batch_split_stack": block.BatchSplit(block.Stack("bn_a", "bn_b"), "bn_c", batch_sizes=[2, 1]),
        "split_stack": block.Split(block.Stack("bn_a", "bn_b"), "bn_c", splits=halves),
        "stack_parallel": block.Stack("bn_a", block.Parallel("bn_b", "bn_c")),
        "stack_split": block.Stack("bn_a", block.Split("bn_b", "bn_c", splits=halves)),
        "stack_batch_split": block.Stack("bn_a", block.BatchSplit("bn_b", "bn_c", batch_sizes=[2, 1])),
        "stack_average": block.Stack("bn_a", block.Average("bn_b", "bn_c")),
        "average_stack": block.Average(block.Stack("bn_a", "bn_b"), "bn_c"),
        "parallel_batch_split": block.Parallel(block.BatchSplit("bn_a", "bn_b", batch_sizes=[2, 1]), "bn_c"),
    }
