import asyncio
async def f():
    (asyncio.# c
    create_task(g()))
    await x
