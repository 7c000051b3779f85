"""The site starts without torch; the library loads it with the first name that needs it."""

import subprocess
import sys

import pytest

from tests.architecture.imports import ROOT

_HEAVY = ("torch", "transformers", "numpy", "sklearn")


def _loaded_after(code: str, watched: tuple[str, ...] = _HEAVY) -> str:
    """Which of the watched packages a fresh interpreter holds after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(sorted(set({watched!r}) & set(sys.modules)))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "code",
    [
        "import hubsite",
        "import os, django\nos.environ['DJANGO_SETTINGS_MODULE'] = 'hubsite.settings'\n"
        "django.setup()\nimport hubsite.urls",
        "import adapter_lib",
        "import adapter_lib.cli, adapter_lib.hub",
        "import adapter_lib.spec.configs, adapter_lib.spec.manifest, adapter_lib.spec.card",
        "from django.core.management import execute_from_command_line\nimport os\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'hubsite.settings'\n"
        "execute_from_command_line(['manage.py', 'check'])",
    ],
)
def test_no_heavy_package_is_loaded(code: str) -> None:
    assert _loaded_after(code) == "[]"


def test_the_library_alone_needs_no_web_framework() -> None:
    code = "import adapter_lib\nfor name in adapter_lib.__all__: getattr(adapter_lib, name)"
    assert _loaded_after(code, ("django", "celery", "ninja", "tantivy")) == "[]"
