"""Every finding a run can have, as sentences for people, grouped by who must act.

A sentence may name the finding's `path` and the keys of its `detail`; `advice` says what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter

from hubsite.validation.models import Finding


class Actor(StrEnum):
    """Who has to do something about a finding."""

    AUTHOR = "author"
    HUB = "hub"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Sentence:
    """What a finding says and what to do about it."""

    text: str
    advice: str
    actor: Actor


def _author(text: str, advice: str) -> Sentence:
    return Sentence(text, advice, Actor.AUTHOR)


def _hub(text: str) -> Sentence:
    return Sentence(text, "Nothing is wrong with your files; the hub tries again by itself.", Actor.HUB)


def _note(text: str, advice: str = "") -> Sentence:
    return Sentence(text, advice, Actor.NOBODY)


_SAVE_AGAIN = "Save the adapter again with save_adapter() and upload the whole folder."
_HEADER = _author("{path}: {reason}", _SAVE_AGAIN)
_MANIFEST = _author("{reason}", _SAVE_AGAIN)

_LAYOUT = {
    "layout.no_files": _author(
        "The version has no files.", "Upload adapter_config.json and adapter.safetensors."
    ),
    "layout.too_many_files": _author(
        "The version has {count} files; at most {limit} are allowed.",
        "Remove what does not belong to the adapter.",
    ),
    "layout.too_large": _author(
        "The files are {size} bytes together; at most {limit} are allowed.",
        "Upload the adapter alone, without the backbone and without optimiser states.",
    ),
    "layout.file_too_large": _author(
        "{path} is {size} bytes; at most {limit} are allowed for this kind of file.",
        "Shorten the file or remove it.",
    ),
    "layout.too_deep": _author(
        "{path} lies {depth} folders deep; at most {limit} are allowed.",
        "Put the adapter's files at the top.",
    ),
    "layout.bad_name": _author(
        "The file name {path} has characters that some systems cannot store.",
        "Use letters, digits, dots, hyphens and underscores.",
    ),
    "layout.no_config": _author(
        "There is no adapter_config.json, so this is not an adapter.",
        "Upload the folder that save_adapter() wrote, with its files at the top.",
    ),
    "layout.no_weights": _author(
        "There is no adapter.safetensors, so this is not an adapter.",
        "Upload the folder that save_adapter() wrote, with its files at the top.",
    ),
}

_FORMAT = {
    "format.pickle": _author(
        "{path} is a pickle file. Loading one can run any program, so the hub never opens it.",
        "Save the weights as safetensors: save_adapter() does so.",
    ),
    "format.archive": _author(
        "{path} is an archive.", "Upload its files one by one; the hub unpacks nothing."
    ),
    "format.not_safetensors": _author("{path} is not a safetensors file: {reason}", _SAVE_AGAIN),
    "format.not_text": _author("{path} is not UTF-8 text.", "Save it as UTF-8."),
    "format.program": _note("{path} is program text; the hub stores it and never runs it."),
}

_HEADERS = {
    f"header.{code}": _HEADER
    for code in (
        "truncated", "too_long", "not_json", "duplicate_key", "bad_entry", "bad_dtype", "bad_shape",
        "bad_offsets", "overlap", "gap", "size_mismatch", "too_many_tensors",
    )
}  # fmt: skip

_CONFIG = {
    **{
        f"manifest.{code}": _MANIFEST
        for code in ("not_json", "unknown_key", "missing_key", "bad_value", "foreign_format")
    },
    "manifest.newer_schema": _author(
        "{reason}",
        "Save the adapter with a released version of adapter_lib, or wait until the hub is updated.",
    ),
    "config.no_backbone": _author(
        "Neither adapter_config.json nor the card names the backbone.",
        'Save the adapter with save_adapter(folder, name, backbone_id="…").',
    ),
    "config.backbone_unknown": _author(
        "The backbone {backbone} is neither on this hub nor in the hub's own folder nor reachable upstream.",
        "Check the spelling of backbone.id; if it is right, upload the backbone as a repo of this hub first.",
    ),
    "config.backbone_mismatch": _author(
        "adapter_config.json says {field} {declared}, but the backbone {backbone} has {actual}.",
        "Save the adapter again from a model made with this very backbone.",
    ),
}

_CONFIG["config.family"] = _author(
    "The backbone cannot carry adapters: {reason}", "Use a backbone of a family that adapter_lib supports."
)

_TENSORS = {
    "tensors.empty": _author("{path} holds no tensors of the method {method}.", _SAVE_AGAIN),
    "tensors.bad_dtype": _author(
        "The tensor {tensor} has the type {dtype}; adapters are stored as F64, F32, F16 or BF16.",
        "Convert the tensors before you save.",
    ),
    "tensors.not_finite": _author(
        "The tensor {tensor} has NaN or infinite values ({count}).",
        "The training has diverged: lower the learning rate, and save a checkpoint from before.",
    ),
    "tensors.no_effect": _author(
        "All values of {tensor} are zero, so the adapter changes nothing.",
        "The adapter was saved before it was trained, or a different adapter was trained.",
    ),
    "tensors.wrong_shape": _author(
        "The tensor {tensor} has the shape {actual}, but {expected} is expected on {backbone}.",
        "The adapter belongs to another backbone or to another configuration; name the one it was made with.",
    ),
    "tensors.missing": _author("{count} tensors are missing, the first is {tensor}.", _SAVE_AGAIN),
    "tensors.unexpected": _author(
        "{count} tensors do not belong to this configuration, the first is {tensor}.", _SAVE_AGAIN
    ),
    "tensors.unchecked": _note("The tensors could not be compared with the backbone: {reason}"),
}

_MODEL = {
    "load.other_backbone": _note("{reason}", "The score below holds for the hub's copy of the backbone."),
    "load.refused": _author("adapter_lib cannot load the adapter: {reason}", _SAVE_AGAIN),
    "load.incomplete": _author(
        "The adapter does not fit its backbone: {missing} tensors missing, {unexpected} unexpected, "
        "{wrong_shape} of the wrong shape.",
        _SAVE_AGAIN,
    ),
    "effect.none": _author(
        "With the adapter the model gives exactly the outputs of the bare backbone.",
        "Check that the adapter was active while it was trained, and save it again.",
    ),
    "effect.not_finite": _author(
        "With the adapter the model's outputs are NaN or infinite.",
        "The training has diverged: lower the learning rate, and save a checkpoint from before.",
    ),
    "effect.not_deterministic": _author(
        "Two runs over the same input give different outputs.",
        "Report this: an adapter should not be able to do so.",
    ),
}

_EVALUATE = {
    "evaluate.no_task": _note(
        "The card names no task of this hub, so there is nothing to measure.",
        "Name it in the card: `adapter_task: sentiment`.",
    ),
    "evaluate.no_suite": _note(
        "The hub has no evaluation set for the task {task} yet, so there is no score."
    ),
    "evaluate.no_head": _note(
        "The adapter has no prediction head, so it is listed without a score.",
        "Save the adapter together with its head to have it measured.",
    ),
    "evaluate.label_mismatch": _note(
        "The head predicts {actual}, but the evaluation set {suite} has {expected}; there is no score.",
        "Name the head's labels as the evaluation set does, in any order.",
    ),
    "evaluate.below_majority": _note(
        "The accuracy of {value} is not above {majority}, which always naming the commonest label reaches.",
        "Check the order of the labels.",
    ),
    "evaluate.claim_differs": _note("The card claims an accuracy of {claimed}; the hub measured {value}."),
}

_CARD = {
    "card.missing": _note("There is no README.md.", "A card makes the adapter findable: say what it is for."),
    "card.warning": _note("README.md: {reason}"),
}

_RUN = {
    "run.timeout": _author(
        "The step took longer than {seconds} seconds and was stopped.",
        "Make the adapter smaller and try again.",
    ),
    "run.memory": _author(
        "The step needed more than the {limit} bytes of memory that are allowed.",
        "Make the adapter smaller and try again.",
    ),
    "run.crash": _author(
        "The process that checked the files was ended by the system ({signal}).",
        "Save the adapter again; if it happens again, tell the hub's staff.",
    ),
}

_HUB = {
    "hub.backbone_unavailable": _hub("The hub could not load the backbone {backbone}: {reason}"),
    "hub.suite_unavailable": _hub("The hub could not read its evaluation set {suite}: {reason}"),
    "hub.storage": _hub("The hub could not read the version's files: {reason}"),
    "hub.internal": _hub("The check itself failed; the hub's staff find the cause in the step's log."),
    "hub.worker_lost": _hub("The worker that did this validation stopped in the middle of it."),
}

SENTENCES: Mapping[str, Sentence] = {
    **_LAYOUT, **_FORMAT, **_HEADERS, **_CONFIG, **_TENSORS, **_MODEL, **_EVALUATE, **_CARD, **_RUN, **_HUB,
}  # fmt: skip


class _Lenient(Formatter):
    """Fills in what is there; a detail that an old run lacks becomes a dash."""

    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, object]) -> object:
        return kwargs.get(str(key), "–")

    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, list):
            return ", ".join(str(one) for one in value) if value else "none"
        return str(value)


def say(code: str, path: str, detail: Mapping[str, object]) -> str:
    """The sentence for a finding; a code of an older release is named as it is."""
    sentence = SENTENCES.get(code)
    if sentence is None:
        return f"The check reported {code}."
    return _Lenient().vformat(sentence.text, (), {**detail, "path": path or "The file"})


def describe(finding: Finding) -> str:
    """What was wrong and what to do, in one or two sentences."""
    known = SENTENCES.get(finding.code)
    said = say(finding.code, finding.path, finding.detail)
    return f"{said} {known.advice}" if known and known.advice else said
