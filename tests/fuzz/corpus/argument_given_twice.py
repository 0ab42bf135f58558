import requests
async def d():requests.post(u,data="",data="")