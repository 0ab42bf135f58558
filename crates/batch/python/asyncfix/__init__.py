"""Rewrites Python asyncio code in tables, as the command `asyncfix --fix` does it in files."""

from ._native import __version__, fix_batch

__all__ = ["__version__", "fix_batch"]
