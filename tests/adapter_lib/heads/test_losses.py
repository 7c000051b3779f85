"""Losses against those of transformers' own classes with the same weights, and against dense sums."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from adapter_lib import AutoAdapterModel
from adapter_lib.heads.dependency_parsing import words_of
from adapter_lib.spec.errors import AttachError
from tests.adapter_lib.heads.kinds import KINDS, ids, model_with
from tests.adapter_lib.heads.test_static import _feed, _flexible, _static

_TAGS = torch.where(ids() < 0, ids(), ids() % 3)
_CASES: list[tuple[str, dict[str, Tensor]]] = [
    ("Bert ForTokenClassification", {"labels": _TAGS}),
    ("Bert ForMultipleChoice", {"labels": torch.tensor([1, 0, 1])}),
    ("Bert ForQuestionAnswering", {"start_positions": torch.tensor([1, 0, 99]),
                                   "end_positions": torch.tensor([2, 6, 99])}),
    ("Bert ForMaskedLM", {"labels": ids()}),
    ("GPT2 LMHeadModel", {"labels": ids()}),
    ("Llama ForCausalLM", {"labels": ids()}),
    ("Bart ForQuestionAnswering", {"start_positions": torch.tensor([1, 0, 6]),
                                   "end_positions": torch.tensor([2, 6, 99])}),
    ("Bart ForConditionalGeneration", {"labels": ids(length=5)}),
    ("T5 ForConditionalGeneration", {"labels": ids(length=5)}),
    ("ViT ForImageClassification", {"labels": torch.tensor([2, 0, 1])}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "labels"), _CASES, ids=[name for name, _ in _CASES])
def test_the_loss_is_that_of_transformers(name: str, labels: dict[str, Tensor]) -> None:
    static = _static(name)
    given = {key: value for key, value in _feed(static, name).items() if "decoder" not in key}
    model = _flexible(static)
    model.adopt_head("own", static)
    model.active_head = "own"
    torch.testing.assert_close(
        model(**given, **labels).loss, static(**given, **labels).loss, atol=1e-6, rtol=1e-6
    )


@pytest.mark.parametrize("name", ["GPT2 LMHeadModel", "Llama ForCausalLM"])
def test_counted_labels_are_those_of_transformers(name: str) -> None:
    static = _static(name)
    given = _feed(static, name)
    model = _flexible(static)
    model.adopt_head("own", static)
    model.active_head = "own"
    asked = {**given, "labels": ids(), "num_items_in_batch": torch.tensor(50)}
    torch.testing.assert_close(model(**asked).loss, static(**asked).loss, atol=1e-6, rtol=1e-6)


def test_several_labels_are_judged_one_by_one() -> None:
    model = model_with("multilabel")
    labels = KINDS["multilabel"].labels()["labels"]
    out = model(**KINDS["multilabel"].feed(), labels=labels)
    p = out.logits.sigmoid()
    wanted = -(labels * p.log() + (1 - labels) * (1 - p).log())
    torch.testing.assert_close(out.loss, wanted.mean())
    counted = model(**KINDS["multilabel"].feed(), labels=labels.long(), num_items_in_batch=12).loss
    torch.testing.assert_close(counted, wanted.sum() / 12)


def test_one_number_may_come_without_a_dimension() -> None:
    model = AutoAdapterModel.from_config(KINDS["regression"].config()).eval()
    model.add_regression_head("one")
    model.active_head = "one"
    assert model.get_labels() == ("LABEL_0",)
    labels = torch.tensor([0.5, 1.0, -1.0])
    out = model(**KINDS["regression"].feed(), labels=labels)
    torch.testing.assert_close(out.loss, ((out.logits[:, 0] - labels) ** 2).mean())


def test_a_parser_recomputed_word_by_word() -> None:
    model = model_with("dependency_parsing")
    batch, labels = KINDS["dependency_parsing"].feed(), KINDS["dependency_parsing"].labels()
    out = model(**batch, **labels, output_hidden_states=True)
    head = model.adapter_runtime.heads.get("one")
    arc, rel = head.get_parameter("arc.weight")[0], head.get_parameter("rel.weight")
    one = torch.ones(1)
    arc_losses, rel_losses = [], []
    for row, starts in enumerate(batch["word_starts"].tolist()):
        h = out.hidden_states[-1][row]
        ends = [end for end in starts if end >= 0]
        words = [h[a:b].mean(0) for a, b in itertools.pairwise(ends)]
        heads = [h[0], *words]
        for i, word in enumerate(words):
            scores = torch.stack([torch.cat([word, one]) @ arc @ head for head in heads])
            torch.testing.assert_close(out.arc_logits[row, i, : len(heads)], scores, atol=1e-5, rtol=0)
            gold = int(labels["labels_arcs"][row, i])
            arc_losses.append(F.cross_entropy(scores, torch.tensor(gold)))
            kinds = torch.einsum("i,oij,j->o", torch.cat([word, one]), rel, torch.cat([heads[gold], one]))
            torch.testing.assert_close(out.rel_logits[row, i, gold], kinds, atol=1e-5, rtol=0)
            rel_losses.append(F.cross_entropy(kinds, labels["labels_rels"][row, i]))
    expected = torch.stack(arc_losses).mean() + torch.stack(rel_losses).mean()
    torch.testing.assert_close(out.loss, expected, atol=1e-5, rtol=0)
    assert out.arc_logits[1, 0, 3] == float("-inf"), "the second sentence has two words"


@pytest.mark.parametrize("starts", [[[3, 1]], [[-100, 3]], [[1, 9]], [[2, 2]]])
def test_words_that_cannot_be_are_refused(starts: Any) -> None:
    with pytest.raises(AttachError, match="word_starts must go up"):
        words_of(torch.zeros(1, 7, 4), torch.tensor(starts))


def test_a_parser_needs_words() -> None:
    batch = KINDS["classification"].feed()
    with pytest.raises(AttachError, match="needs word_starts"):
        model_with("dependency_parsing")(**batch)
