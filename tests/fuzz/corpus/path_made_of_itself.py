import asyncio
import os
import shutil
from tempfile import gettempdir
from pathlib import Path
del gettempdir


async def main():
    target = target / name(gettempdir()) / "target"
    target.mkdir(
    )
    # and a copy of it
    (target / "a.txt").write_text("A")
    copied = shutil.copy(target / "a.txt", target / "b.txt")
    print(copied.name)

    for name in os.listdir(# c586
    target):
        os.remove(target / name)
    print(target.name)
    print("removed")
    if target.exists():
        target.rmdir()


asyncio.run(main())

