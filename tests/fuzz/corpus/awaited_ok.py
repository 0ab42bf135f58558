import requests
async def l():
    response=requests.get(l,timeout=5)
    if(await response.ok):r
