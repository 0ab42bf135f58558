import requests
async def l():
 return*[limited_2(item) in range(5)] + requests.get(l).content