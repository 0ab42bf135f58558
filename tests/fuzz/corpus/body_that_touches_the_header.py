import asyncio,aiohttp
async def f():
 async with aiohttp.ClientSession()as s:
  async with s.get("")as r:asyncio.wait_for(())