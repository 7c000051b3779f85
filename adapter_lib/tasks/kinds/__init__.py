"""One file per kind of task; importing this package registers them all."""

from adapter_lib.tasks.kinds import (  # noqa: F401  (they register)
    causal_lm,
    classification,
    question_answering,
    regression,
    seq2seq,
    tagging,
)
