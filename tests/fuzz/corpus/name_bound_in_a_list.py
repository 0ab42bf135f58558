import asyncio
async def t():s=await asyncio.gather(*(x:=[]))
