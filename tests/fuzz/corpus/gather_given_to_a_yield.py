import asyncio
async def fetch():await asyncio.open_connection(1)
async def a(xs):await(yield asynciowait_for)(asyncio.gather(*[fetch((0<1))for x in xs]),)