import requests
async def l():requests.get()\
 