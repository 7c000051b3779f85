"""VeRA, FourierFT, (IA)³ and the norms: vectors per map."""

from collections.abc import Sequence

from adapter_lib.formats.peft.exporting.draft import Draft, most, whole_if
from adapter_lib.formats.peft.exporting.held import Held, Site, sites
from adapter_lib.formats.peft.exporting.low_rank import Update, put_updates
from adapter_lib.formats.peft.exporting.products import once, whole
from adapter_lib.points import maps
from adapter_lib.spec.configs import FourierFTConfig, VeRAConfig
from adapter_lib.spec.errors import LoadError


def vera(members: Sequence[Held], draft: Draft) -> None:
    """VeRA with its projections; the LoRA that computes the same where a map is one with others to PEFT."""
    found, config, shared = once(sites(members)), members[0].config, members[0].shared
    if not isinstance(config, VeRAConfig) or len(members) > 1:
        raise LoadError("PEFT has one VeRA in an adapter.")
    if not all(site.is_whole for site in found):
        _as_lora(found, config, members[0], draft)
        return
    for site in found:
        path = draft.path(site.module)
        draft.put(path, "vera_lambda_d", site.first.tensor("vera_d"))
        draft.put(path, "vera_lambda_b", site.first.tensor("vera_b"))
    draft.tensors |= {"base_model.vera_A": shared["vera_a"], "base_model.vera_B": shared["vera_b"]}
    draft.aim([site.module for site in found])
    draft.settings |= {
        "r": config.r,
        "vera_dropout": config.dropout,
        "d_initial": config.d_initial,
        "projection_prng_key": config.seed,
        "save_projection": True,
        "bias": "none",
    }


def _as_lora(found: Sequence[Site], config: VeRAConfig, held: Held, draft: Draft) -> None:
    """diag(d) A and diag(b) B; every share of a map takes the first rows of B, and PEFT's VeRA others."""
    a, b = held.shared["vera_a"], held.shared["vera_b"]
    updates: dict[Site, list[Update]] = {}
    for site in found:
        width = maps.widths(site.module)[0]
        updates[site] = [
            Update(
                p.tensor("vera_d")[:, None] * a[:, :width],
                p.tensor("vera_b")[:, None] * b[: p.spot.place.width_out],
                1.0,
                p.columns,
            )
            for p in site.pieces
        ]
    put_updates(updates, draft, dropout=config.dropout)
    draft.settings["peft_type"] = "LORA"
    draft.notes.append(
        "Some maps are one matrix with others to PEFT: this VeRA was written as the equal LoRA."
    )


def fourierft(members: Sequence[Held], draft: Draft) -> None:
    """Learned entries of a spectrum; PEFT draws their places from the same seed."""
    found = whole(sites(members), "fourierft")
    configs = [held.config for held in members]
    kinds = {(c.scaling, c.seed) for c in configs if isinstance(c, FourierFTConfig)}
    if len(kinds) > 1:
        raise LoadError("PEFT has one scaling and one seed for all of an adapter's spectra.")
    counts: dict[str, float] = {}
    for site in found:
        path, spectrum = draft.path(site.module), site.first.tensor("spectrum")
        draft.put(path, "fourierft_spectrum", spectrum)
        counts[path] = len(spectrum)
    ((scaling, seed),) = kinds
    draft.aim([site.module for site in found])
    draft.settings |= {
        "n_frequency": whole_if(most(counts.values())),
        "n_frequency_pattern": draft.differing(counts, most(counts.values())),
        "scaling": whole_if(scaling),
        "random_loc_seed": seed,
        "bias": "none",
    }


def ia3(members: Sequence[Held], draft: Draft) -> None:
    """Factors of outputs [out, 1], and of the inputs [1, in] of the feed-forward block's second map."""
    found = sites(members)
    inner = [site for site in found if site.first.spot.place.kind == "middle"]
    for site in once(found):
        if len({piece.spot.place.kind for piece in site.pieces}) > 1:
            raise LoadError(
                f"(IA)³ multiplies both sides of {site.first.spot.place.key}, and PEFT one side of a map."
            )
        factor = site.first.tensor("factor").new_ones(maps.widths(site.module)[1])
        if site in inner:
            draft.put(draft.path(site.module), "ia3_l", site.first.tensor("factor")[None])
            continue
        for piece in site.pieces:
            columns, own = piece.columns, piece.tensor("factor")
            factor = own if columns is None else factor.index_copy(0, columns, own)
        draft.put(draft.path(site.module), "ia3_l", factor[:, None])
    outer = [site.module for site in found if site not in inner]
    named = [draft.names_of(modules) for modules in (outer, [site.module for site in inner])]
    draft.aim([site.module for site in found])
    # PEFT wants every name of the second list in the first.
    draft.settings |= {"target_modules": sorted({*named[0], *named[1]}), "feedforward_modules": named[1]}


def norms(members: Sequence[Held], draft: Draft) -> None:
    """The norms as they became."""
    found = once(sites(members))
    for site in found:
        path, own = draft.path(site.module), dict(site.module.named_parameters(recurse=False))
        for name, change in site.first.tensors.items():
            if name not in own:
                raise LoadError(f"{path} has no {name} that PEFT could retrain.")
            draft.put(path, f"ln_tuning_layers.{name}", own[name].detach() + change.to(own[name]))
        for name in own.keys() - site.first.tensors.keys():
            draft.put(path, f"ln_tuning_layers.{name}", own[name])
    draft.aim([site.module for site in found])
