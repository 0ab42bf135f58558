import asyncio
async def f():
    with open("x") as f:
        def g(d=asyncio.run(e)):pass
        x=f.read()
    return x
