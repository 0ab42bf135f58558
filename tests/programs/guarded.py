"""Nothing here can be rewritten without a person's decision: `--show-withheld` says why."""

import asyncio
import threading
import time

lock = threading.Lock()


async def check(value):
    if value < 0:
        raise ValueError(value)
    return value


async def main():
    try:
        await asyncio.gather(check(1), check(-1))
    except ValueError as error:
        print("refused", error)
    with lock:
        time.sleep(0.001)


asyncio.run(main())
