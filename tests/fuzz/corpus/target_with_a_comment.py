import asyncio
async def f(x):
    with open(x) as f:
        x[  # one
            0] = f.read()  # two
