import asyncio,aiohttp
async def f():
    async with aiohttp.ClientSession() as s:
        async with s.get("u") as r:await asyncio.gather([])
