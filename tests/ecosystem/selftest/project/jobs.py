"""A little of everything that codemods rewrite, for a test suite that notices when they do it wrongly."""

import asyncio
import time


async def fetch(path, log=None):
    await asyncio.sleep(0.02)
    if path.startswith("bad"):
        raise ValueError(path)
    if log is not None:
        log.append(path)
    return path.upper()


async def links(paths):
    found = await asyncio.gather(*[fetch(path) for path in paths])
    return dict(zip(paths, found))


async def both(first, second):
    left, right = await asyncio.gather(fetch(first), fetch(second))
    return left + right


async def at_once(log):
    await asyncio.gather(fetch("bad"), slow(log))


async def slow(log):
    await asyncio.sleep(0.1)
    log.append("slow")


async def beat(log, times):
    for number in range(times):
        log.append(number)
        time.sleep(0.02)


async def spawn(log):
    asyncio.create_task(fetch("kept", log))
    await asyncio.sleep(0.2)


async def in_time(seconds):
    try:
        return await asyncio.wait_for(fetch("in time"), seconds)
    except asyncio.TimeoutError:
        return "too late"


async def length(text):
    loop = asyncio.get_event_loop()
    return await loop.run_in_executor(None, len, text)


async def later(path):
    task = asyncio.ensure_future(fetch(path))
    await asyncio.sleep(0)
    return await task


async def numbers(log):
    try:
        for number in range(10):
            await asyncio.sleep(0)
            yield number
    finally:
        log.append("closed")


async def first_over(limit, log):
    async for number in numbers(log):
        if number > limit:
            return number


def drive(paths):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(links(paths))
    finally:
        loop.close()
