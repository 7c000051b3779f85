"""What a training says besides transformers' own progress bar and logs."""

import logging
from typing import Any

from transformers import TrainingArguments

LOGGER = logging.getLogger("adapter_lib.training")


def tell(arguments: TrainingArguments, text: str, level: int = logging.INFO) -> None:
    """Log a line on the main process, unless the arguments' log_level asks for errors alone."""
    if arguments.process_index == 0 and not is_silent(arguments):
        LOGGER.log(level, text)


def is_silent(arguments: TrainingArguments) -> bool:
    """True if only errors are to be told."""
    asked: Any = arguments  # transformers gives the method no types
    return bool(asked.get_process_log_level() >= logging.ERROR)
