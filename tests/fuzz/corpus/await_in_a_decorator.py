import asyncio
async def e()->():
 @asyncio.run(e)
 def e():i