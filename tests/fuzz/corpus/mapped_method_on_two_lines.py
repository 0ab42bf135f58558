import asyncio
class t:
    async def fetch(self, x):await()
    async def e(self):asyncio.gather(*map(self.
fetch, xs))
