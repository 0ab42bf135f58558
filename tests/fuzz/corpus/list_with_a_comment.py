import asyncio
async def g():await asyncio.gather(*c#
())
