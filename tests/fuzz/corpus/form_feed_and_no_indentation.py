import requests


async def i():requests.get("u")
