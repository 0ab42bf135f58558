async def t():()
import asyncio\
;
def s():[asyncio.iscoroutinefunction]
