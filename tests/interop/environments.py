"""Makes the peers' virtual environments: python -m tests.interop.environments [--home FOLDER] NAME …"""

import argparse
import subprocess
import venv
from dataclasses import dataclass, replace
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-peers"
# Installed first and alone: any other request for torch fetches gigabytes of GPU packages.
_TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Environment:
    """What one peer needs; `constrained` ones take every other version from our own constraints.txt."""

    name: str
    pins: tuple[str, ...]
    constrained: bool = False
    home: Path = HOME

    @property
    def folder(self) -> Path:
        """Where the environment lies."""
        return self.home / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


# The versions that the committed data was made with stand in data/*/versions.json as well.
ENVIRONMENTS = {
    "adapters": Environment("adapters", ("adapters==1.3.0", "transformers==4.57.6")),
    "peft": Environment("peft", ("peft==0.21.2", "transformers"), constrained=True),
}


def make(environment: Environment) -> bool:
    """Create the environment; False where it already has the right versions."""
    if not missing(environment):
        return False
    if not environment.python.exists():
        venv.create(environment.folder, with_pip=True)
    _install(environment, _TORCH)
    constraints = ("-c", str(ROOT / "constraints.txt")) if environment.constrained else ()
    _install(environment, *constraints, *environment.pins, _TORCH)
    lacking = missing(environment)
    if lacking:
        raise SystemExit(
            f"The environment {environment.name} still lacks {', '.join(lacking)}; "
            f"delete {environment.folder} and run this again."
        )
    return True


def missing(environment: Environment) -> list[str]:
    """The pins that the environment does not have."""
    folders = [str(path) for path in environment.folder.glob("lib/python*/site-packages")]
    found = {package.name.lower(): package.version for package in distributions(path=folders)}
    return [pin for pin in (*wanted(environment), _TORCH) if not _has(found, pin)]


def wanted(environment: Environment) -> list[str]:
    """The pins, those without a version completed from constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    ours = {line.partition("==")[0].lower(): line for line in lines if "==" in line}
    return [pin if "==" in pin else ours[pin] for pin in environment.pins]


def _has(found: dict[str, str], pin: str) -> bool:
    name, _, version = pin.partition("==")
    # A build of torch for the CPU calls itself 2.13.0+cpu.
    return found.get(name.lower(), "").partition("+")[0] == version


def _install(environment: Environment, *requirements: str) -> None:
    command = [str(environment.python), "-m", "pip", "install", "--quiet", *requirements]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(
            f"pip could not install {' '.join(requirements)} into {environment.folder}; "
            "its message is above. Check the network or pip's configuration and run this again."
        )


def main() -> None:
    """Make the environments that the command line names."""
    parser = argparse.ArgumentParser(description="Make the peers' virtual environments.")
    parser.add_argument("names", nargs="+", choices=sorted(ENVIRONMENTS), metavar="NAME")
    parser.add_argument("--home", type=Path, default=HOME, help="where they lie (%(default)s)")
    given = parser.parse_args()
    for name in given.names:
        made = make(replace(ENVIRONMENTS[name], home=given.home.resolve()))
        print(f"{name}: {'made' if made else 'already there'}")


if __name__ == "__main__":
    main()
