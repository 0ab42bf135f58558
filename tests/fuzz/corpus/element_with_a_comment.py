import asyncio
async def h(v):
    await asyncio.gather(*[(  # c
        f(e)) for e in v])
