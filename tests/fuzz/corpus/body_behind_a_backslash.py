import asyncio
import time


async def f(x):
    if x:\
        time.sleep(1)
    asyncio.create_task(f(x))  \

    return 1
