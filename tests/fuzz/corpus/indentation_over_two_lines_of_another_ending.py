import aiohttpfor x in y: def l():  async with aiohttp.ClientSession()as session:   async def o():    \
with session.get(l):await()