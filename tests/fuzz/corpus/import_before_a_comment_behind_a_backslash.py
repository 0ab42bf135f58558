import requests\
#
async def l():e[0]=requests.get()