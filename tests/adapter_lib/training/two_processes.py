"""What one of several processes trains; run by `test_two_processes` with the environment that torchrun sets.

`python -m tests.adapter_lib.training.two_processes FOLDER`: writes what every training ended with to
FOLDER/RANK.pt.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from adapter_lib import Fuse
from tests.adapter_lib.model.test_training import Rows
from tests.adapter_lib.tiny import prepared
from tests.adapter_lib.training.running import CHECKPOINTING, trainer, with_head

Trained = dict[str, Tensor]
# Rows in all processes together.
BATCH = 4


def _still(model: Any) -> Any:
    """Without dropout, which every process draws by itself."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def _fusion() -> Any:
    model = prepared("bert", a="seq_bn", b="lora[r=4]")
    model.add_adapter_fusion(["a", "b"], "dynamic")
    torch.manual_seed(0)
    model.add_classification_head("a", num_labels=2)
    model.train_adapter_fusion(Fuse("a", "b"), head="a")
    return model


def _trained(model: nn.Module) -> Trained:
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def by_trainer(folder: Path, make: Callable[[], Any], rows: int, **settings: Any) -> Trained:
    """Four steps of AdapterTrainer, with as many rows of a batch as come to one process."""
    model = _still(make())
    run = trainer(
        model,
        folder,
        max_steps=4,
        optim="sgd",
        learning_rate=0.5,
        max_grad_norm=0.0,
        per_device_train_batch_size=rows,
        **settings,
    )
    run.train()
    return _trained(model)


def by_hand(make: Callable[[], Any], rank: int, world: int, autocast: bool = False) -> Trained:
    """Four steps of a loop around DistributedDataParallel, whose parameters must all have a gradient."""
    model = _still(make())
    wrapped = DistributedDataParallel(model) if world > 1 else model
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
    rows = Rows()
    for step in range(4):
        chosen = [rows[(step * BATCH + i) % len(rows)] for i in range(rank, BATCH, world)]
        ids = torch.stack([row["input_ids"] for row in chosen])
        labels = torch.tensor([row["labels"] for row in chosen])
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = wrapped(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return _trained(model)


def trainings(folder: Path, rank: int, world: int) -> dict[str, Trained]:
    """What the trained parameters are at the end, by training."""
    rows = BATCH // world
    halved = {"rows": rows // 2, "gradient_accumulation_steps": 2}
    found = {
        "trainer": by_trainer(folder, with_head, rows),
        "trainer that looks for nothing unused": by_trainer(
            folder, with_head, rows, ddp_find_unused_parameters=False
        ),
        "trainer with a fusion": by_trainer(folder, _fusion, rows),
        "trainer with accumulation": by_trainer(folder, with_head, **halved),
        "trainer with checkpointing": by_trainer(folder, with_head, rows, **CHECKPOINTING),
        "trainer in bfloat16": by_trainer(folder, with_head, rows, bf16=True),
    }
    for method in ("lora[r=4]", "seq_bn", "mam"):
        found[f"loop with {method}"] = by_hand(partial(with_head, method), rank, world)
    found["loop with a fusion"] = by_hand(_fusion, rank, world)
    found["loop in bfloat16"] = by_hand(with_head, rank, world, autocast=True)
    return found


def main(folder: Path) -> None:
    """Run every training and write what came out."""
    torch.set_num_threads(1)
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    torch.save(trainings(folder, rank, world), folder / f"{rank}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
