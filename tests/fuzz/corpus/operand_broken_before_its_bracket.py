import asyncio


async def f():
    asyncio.run(h  # c1
        ())
    asyncio.run(h
        [0])
