import asyncio
async def f():
    try:await asyncio.gather((),(()#
    ))
    finally:pass
