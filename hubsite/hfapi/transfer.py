"""Which files are kept as large objects, whatever way their bytes came.

An entry's kind decides its ETag and oid (hf_protocol 3.5), so it must not depend on the client that uploaded
it.
"""

import re

# Above this size any file is a large object, as on the public hub.
LARGE_BYTES = 10 * 1024**2
# The binary endings of the public hub's default .gitattributes.
_LARGE_NAME = re.compile(
    r"\.(7z|arrow|bin|bz2|ckpt|ftz|gguf|gz|h5|joblib|mlmodel|model|msgpack|npy|npz|onnx|ot|parquet|pb|pickle|pkl|pt"
    r"|pth|rar|safetensors|tar|tflite|tgz|wasm|xz|zip|zst)\Z",
    re.IGNORECASE,
)


def is_large(path: str, size: int) -> bool:
    """Whether a file of `size` bytes is kept as a large object. Empty files never are (hf_protocol 3.6)."""
    return size > LARGE_BYTES or (size > 0 and _LARGE_NAME.search(path) is not None)
