import asyncio
class K:
 async def k():
        tasks=[]
        if tasks:await asyncio.gather(*tasks)
