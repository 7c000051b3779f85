"""Step 2: safetensors only. What could run when it is opened is refused unopened."""

from pathlib import PurePosixPath

from adapter_lib.spec.card import CARD_FILE
from adapter_lib.spec.manifest import CONFIG_FILE
from hubsite.validation.steps import StepName
from workers.registry import Phase, register
from workers.report import Report
from workers.subject import Subject

_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".npy", ".npz", ".pyc"}
_ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".whl", ".jar"}
_PROGRAMS = {".py", ".sh", ".ipynb", ".js", ".exe", ".so", ".dll"}
# Every pickle since protocol 2 starts so; torch's newer files are zip archives around one.
_PICKLE_STARTS = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_ZIP_START = b"PK\x03\x04"


def format_(subject: Subject, report: Report) -> None:
    """Look at the names and the first bytes of all files."""
    for file in subject.case.files:
        kind = PurePosixPath(file.path).suffix.lower()
        with subject.path(file.path).open("rb") as stream:
            start = stream.read(9)
        if kind in _PICKLES or start.startswith((*_PICKLE_STARTS, _ZIP_START)):
            report.error("format.pickle", file.path)
        elif kind in _ARCHIVES:
            report.error("format.archive", file.path)
        elif kind == ".safetensors":
            _check_safetensors(file.path, start, report)
        elif kind in _PROGRAMS:
            report.note("format.program", file.path)
    for path in (CONFIG_FILE, CARD_FILE):
        _check_text(path, subject, report)


def _check_safetensors(path: str, start: bytes, report: Report) -> None:
    if len(start) < 9:
        report.error("format.not_safetensors", path, reason="it is shorter than 9 bytes.")
    elif start[8:9] != b"{":
        report.error("format.not_safetensors", path, reason="its header does not start with `{`.")


def _check_text(path: str, subject: Subject, report: Report) -> None:
    if not subject.has(path):
        return
    try:
        subject.path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        report.error("format.not_text", path)


register(StepName.FORMAT, Phase.BYTES, format_)
