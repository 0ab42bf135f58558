import aiohttp
def e():
    session=aiohttp.ClientSession()
    def h():
     async with session.get(l)as e:()
