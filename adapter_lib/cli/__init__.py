"""The command `adapter-lib`: one file per command, registered by one call."""

from adapter_lib.cli.app import main

__all__ = ["main"]
