#!/usr/bin/env python3
"""A codemod as people write them with LibCST: `asyncio.ensure_future(x)` becomes `asyncio.create_task(x)`.

usage: libcst_codemod.py FILE...

It prints what it would change, on as many processes as the machine has cores. compare.py times it.
"""

import sys

import libcst as cst
import libcst.matchers as m
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand, parallel_exec_transform_with_prettyprint

CALL = m.Call(func=m.Attribute(value=m.Name("asyncio"), attr=m.Name("ensure_future")))


class CreateTask(VisitorBasedCodemodCommand):
    """Replaces one attribute by another, and looks at no type and no scope."""

    DESCRIPTION = "asyncio.ensure_future becomes asyncio.create_task"

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        """Rename what is called."""
        if not m.matches(original_node, CALL):
            return updated_node
        return updated_node.with_deep_changes(updated_node.func, attr=cst.Name("create_task"))


if __name__ == "__main__":
    parallel_exec_transform_with_prettyprint(
        CreateTask(CodemodContext()), sys.argv[1:], hide_progress=True, hide_blacklisted=True, unified_diff=3
    )
