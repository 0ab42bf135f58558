import asyncio
async def g():
    first=(asyncio.create_task(h()))
    second=asyncio.create_task(h())
    await asyncio.gather(first,second)
async def h(): pass
