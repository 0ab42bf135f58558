import asyncio
async def work():asyncio.wait(map(work,(x:=())))