"""A pytest plugin (`-p tests.environment`): the tests' own data folder, chosen before Django reads its settings."""

import os
import tempfile
from pathlib import Path

_DATA_DIR = tempfile.TemporaryDirectory(prefix="hub-tests-")
os.environ["HUB_DATA_DIR"] = str(Path(_DATA_DIR.name))
os.environ["HUB_SECRET_KEY"] = "tests-only"
os.environ["OMP_NUM_THREADS"] = "1"
# No test talks to a public hub or leaves files in the user's own cache.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HOME"] = str(Path(_DATA_DIR.name) / "hf")
for name in ("HF_ENDPOINT", "HF_TOKEN", "ADAPTER_HUB_ENDPOINT", "ADAPTER_HUB_TOKEN", "ADAPTER_LIB_CACHE"):
    os.environ.pop(name, None)
