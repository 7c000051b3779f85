"""The code on an adapter's page: complete, copyable, and executed by a test."""

from collections.abc import Sequence

DEFAULT_ENDPOINT = "http://127.0.0.1:8000"

EXAMPLE_TEXTS = (
    "What a lovely surprise!",
    "It broke on the very first day.",
    "I would buy it again.",
)

_TEMPLATE = """\
import adapter_lib
import torch
from transformers import AutoTokenizer

model = adapter_lib.load({load})
tokenizer = AutoTokenizer.from_pretrained(model.name_or_path)

texts = [
{texts}
]
with torch.no_grad():
    logits = model(**tokenizer(texts, padding=True, truncation=True, return_tensors="pt")).logits
"""
_WITH_LABELS = """\
labels = {labels}
for text, index in zip(texts, logits.argmax(dim=-1).tolist()):
    print(f"{{labels[index]:>{width}}}  {{text}}")
"""
_WITHOUT_LABELS = """\
print(logits)
"""


def snippet(
    adapter_id: str,
    texts: str | Sequence[str] = EXAMPLE_TEXTS,
    labels: Sequence[str] = (),
    *,
    endpoint: str | None = None,
) -> str:
    """Python code that loads `adapter_id` (`ns/name`, or any `hub:` id) and labels `texts`.

    `endpoint` is the hub's address and appears in the code only where it is not the default.
    """
    full_id = adapter_id if adapter_id.startswith(("hub:", "hf:")) else f"hub:{adapter_id}"
    load = literal(full_id)
    if endpoint is not None and endpoint.rstrip("/") != DEFAULT_ENDPOINT:
        load += f", endpoint={literal(endpoint)}"
    sentences = [texts] if isinstance(texts, str) else list(texts)
    code = _TEMPLATE.format(load=load, texts="\n".join(f"    {literal(text)}," for text in sentences))
    if not labels:
        return code + _WITHOUT_LABELS
    listed = f"[{', '.join(literal(label) for label in labels)}]"
    return code + _WITH_LABELS.format(labels=listed, width=max(len(label) for label in labels))


def literal(text: str) -> str:
    """`text` as a Python string in double quotes where it can be; whatever does not print is escaped."""
    quoted = repr(text)
    return f'"{quoted[1:-1]}"' if quoted[0] == "'" and '"' not in text else quoted
