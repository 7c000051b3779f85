"""AdaLoRA's choosing of ranks against the paper's equations, in a bare loop and under the Trainer."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from adapter_lib.spec.errors import AttachError
from adapter_lib.training import AdaLoRACallback, RankAllocator
from tests.adapter_lib.model.test_training import Rows
from tests.adapter_lib.tiny import inputs, prepared

LABELS = torch.tensor([0, 1, 1])


def _model(settings: str, **others: str) -> Any:
    model = prepared("bert", one=f"adalora[{settings}]", **others)
    model.add_classification_head("one", num_labels=2)
    model.train_adapter("one")
    return model.eval()


def _steps(model: Any, allocator: RankAllocator, first: int, last: int) -> list[int]:
    """Train from step `first` to step `last`; how many entries of Λ are left after each."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    left = []
    for step in range(first, last + 1):
        model(**inputs(), labels=LABELS).loss.backward()
        optimizer.step()
        allocator.update_and_allocate(step)
        optimizer.zero_grad()
        left.append(sum(allocator.ranks().values()))
    return left


def test_the_budget_is_cubic_between_warm_up_and_end() -> None:
    model = _model("init_r=6, target_r=2, tinit=3, tfinal=4")
    allocator = RankAllocator(model, "one", total_steps=17)
    # Four places: 24 entries at first, 8 at the end, ten steps in between.
    expected = [24, 24, 24, *(round(8 + 16 * (1 - t / 10) ** 3) for t in range(10)), 8, 8, 8, 8, 8]
    assert [allocator.budget(step) for step in range(18)] == expected


@pytest.mark.parametrize("delta_t", [1, 3])
def test_the_entries_that_are_left_follow_the_budget_and_then_stay(delta_t: int) -> None:
    model = _model(f"init_r=6, target_r=2, tinit=2, tfinal=4, delta_t={delta_t}")
    allocator = RankAllocator(model, "one", total_steps=12)
    left = _steps(model, allocator, 1, 8)
    assert left[:2] == [24, 24]
    for step, count in enumerate(left, start=1):
        if step in range(2, 9, delta_t) or step == 8:
            assert count == allocator.budget(step), step
    assert left[-1] == 8
    kept = {key: part.singular != 0 for key, part in allocator.parts.items()}
    assert sorted(allocator.ranks().values()) != [2, 2, 2, 2]
    before = {key: part.singular.clone() for key, part in allocator.parts.items()}
    assert _steps(model, allocator, 9, 12) == [8, 8, 8, 8]
    for key, part in allocator.parts.items():
        assert torch.equal(part.singular != 0, kept[key])
    assert any(not torch.equal(part.singular, before[key]) for key, part in allocator.parts.items())


def test_scores_are_those_of_the_paper() -> None:
    model = _model("init_r=3, target_r=1, beta1=0.7, beta2=0.6, tinit=50")
    allocator = RankAllocator(model, "one", total_steps=100)
    parts = {part.place.key: part for part in model.adapter_runtime.injection.parts("one").values()}
    means = {(k, n): torch.zeros_like(p) for k, part in parts.items() for n, p in part.named_parameters()}
    spreads = {key: torch.zeros_like(value) for key, value in means.items()}
    for step in (1, 2, 3):
        model.zero_grad()
        model(**inputs(), labels=LABELS).loss.backward()
        allocator.update_and_allocate(step)
        for k, part in parts.items():
            for n, p in part.named_parameters():
                sensitivity = (p * p.grad).abs().detach()
                means[k, n] = 0.7 * means[k, n] + 0.3 * sensitivity
                spreads[k, n] = 0.6 * spreads[k, n] + 0.4 * (sensitivity - means[k, n]).abs()
        with torch.no_grad():
            for parameter in (p for part in parts.values() for p in part.parameters()):
                parameter.mul_(1.1)
    for k, score in allocator.scores().items():
        s = {n: means[k, n] * spreads[k, n] for n in ("p", "singular", "q")}
        for i in range(3):
            expected = s["singular"][i] + s["p"][:, i].mean() + s["q"][i, :].mean()
            torch.testing.assert_close(score[i], expected)


def test_the_entries_with_the_highest_scores_are_kept() -> None:
    model = _model("init_r=4, target_r=1")
    allocator = RankAllocator(model, "one", total_steps=3)
    _steps(model, allocator, 1, 3)
    scores = torch.cat(list(allocator.scores().values()))
    kept = torch.cat([part.singular != 0 for part in allocator.parts.values()])
    assert int(kept.sum()) == 4
    assert scores[kept].min() >= scores[~kept].max()


def test_a_training_that_is_resumed_at_its_end_keeps_the_choice() -> None:
    model = _model("init_r=4, target_r=2, tfinal=5")
    first = RankAllocator(model, "one", total_steps=10)
    _steps(model, first, 1, 7)
    kept = {key: part.singular != 0 for key, part in first.parts.items()}
    again = RankAllocator(model, "one", total_steps=10)
    assert _steps(model, again, 8, 10) == [8, 8, 8]
    assert all(torch.equal(part.singular != 0, kept[key]) for key, part in again.parts.items())


def test_overflown_gradients_say_nothing() -> None:
    model = _model("init_r=4, target_r=2")
    allocator = RankAllocator(model, "one", total_steps=10)
    model(**inputs(), labels=LABELS).loss.backward()
    for part in allocator.parts.values():
        part.p.grad[0, 0] = float("inf")
        part.q.grad[0, 0] = float("nan")
    allocator.update_and_allocate(1)
    assert all(bool(score.isfinite().all()) for score in allocator.scores().values())


def test_misuse_is_told() -> None:
    model = _model("init_r=4, target_r=2, tinit=5, tfinal=5", other="lora")
    with pytest.raises(AttachError, match="'other' is no AdaLoRA adapter"):
        RankAllocator(model, "other", 100)
    with pytest.raises(AttachError, match="leave no step of 10 to choose ranks in"):
        RankAllocator(model, "one", 10)
    with pytest.raises(AttachError, match="No gradient: update_and_allocate comes between"):
        RankAllocator(model, "one", 100).update_and_allocate(1)


def _trained(model: Any, folder: Path, **settings: Any) -> AdaLoRACallback:
    arguments = hf.TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        per_device_train_batch_size=3,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        seed=1,
        learning_rate=1e-2,
        logging_steps=1,
        **settings,
    )
    callback = AdaLoRACallback(model)
    trainer = hf.Trainer(model=model, args=arguments, train_dataset=Rows(), callbacks=[callback])
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert sum(losses[-3:]) < sum(losses[:3])
    return callback


@pytest.mark.parametrize("accumulation", [1, 2])
def test_under_the_trainer(accumulation: int, tmp_path: Path) -> None:
    model = _model("init_r=6, target_r=2, tinit=2, tfinal=3, orth_reg=0.1")
    before = model.adapter_regularisation().item()
    callback = _trained(model, tmp_path, max_steps=12, gradient_accumulation_steps=accumulation)
    assert sum(callback.allocators["one"].ranks().values()) == 8
    # The factors were pulled towards orthogonal ones.
    assert model.adapter_regularisation().item() < before


def test_the_callback_without_an_adaptive_adapter_is_told(tmp_path: Path) -> None:
    model = prepared("bert", other="lora")
    model.add_classification_head("other", num_labels=2)
    model.train_adapter("other")
    with pytest.raises(AttachError, match="no AdaLoRA adapter is active"):
        _trained(model, tmp_path, max_steps=1)


def test_ranks_are_kept_in_the_file(tmp_path: Path) -> None:
    model = _model("init_r=4, target_r=1")
    _steps(model, RankAllocator(model, "one", 3), 1, 3)
    model.save_adapter(tmp_path / "saved", "one")
    fresh = prepared("bert")
    fresh.load_adapter(tmp_path / "saved", name="again")
    ranks = [part.rank() for part in fresh.adapter_runtime.injection.members("again")]
    assert sum(ranks) == 4
