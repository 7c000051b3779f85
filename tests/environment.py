"""A pytest plugin (`-p tests.environment`): sets data folder and services before Django reads settings."""

import os
import tempfile

_DATA_DIR = tempfile.TemporaryDirectory(prefix="hub-tests-")
os.environ["HUB_DATA_DIR"] = _DATA_DIR.name
os.environ["HUB_SECRET_KEY"] = "tests-only"
os.environ["OMP_NUM_THREADS"] = "1"
# No test talks to a public hub or leaves files in the user's own cache.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HOME"] = os.path.join(_DATA_DIR.name, "hf")
for _name in ("HF_ENDPOINT", "HF_TOKEN", "ADAPTER_HUB_ENDPOINT", "ADAPTER_HUB_TOKEN", "ADAPTER_LIB_CACHE"):
    os.environ.pop(_name, None)

# `make test-services` runs the same tests on throwaway servers; otherwise nothing outside is used.
if os.environ.get("HUB_TEST_SERVICES") == "1":
    _worker = os.environ.get("PYTEST_XDIST_WORKER")
    if _worker is None:
        from tests import services

        os.environ.update(services.start())
    else:  # the controller's servers; Django names a database of its own for each worker, Redis numbers them
        os.environ["REDIS_URL"] = (
            os.environ["REDIS_URL"].removesuffix("/0") + "/" + _worker.removeprefix("gw")
        )
else:
    for _name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(_name, None)
