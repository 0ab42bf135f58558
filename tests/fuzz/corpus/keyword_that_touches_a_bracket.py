async def f():
 with(aiohttp).ClientSession(
)as s:()
import aiohttp