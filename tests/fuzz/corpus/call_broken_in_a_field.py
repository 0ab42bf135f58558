import asyncio
def a():
 async def r():f"{asyncio.sleep\
()()}"
