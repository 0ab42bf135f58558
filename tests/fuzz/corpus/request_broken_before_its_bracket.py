import aiohttp
def e():
    session=aiohttp.ClientSession()
    async def f():
     with(((session.get#
(l))))as e:a