import requests
async def l():
    response=requests.get(5)
    if(f"{await response.ok()}"):r