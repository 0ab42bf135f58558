async def g():
    yield 1
async def f():
    async for x in g():
        return x
