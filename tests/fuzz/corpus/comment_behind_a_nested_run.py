import async_timeout
class r:
    def _():
        try:5if h==""else 1
        finally:s
    async def f():
     with async_timeout.timeout(5):loop.run_until_complete(asyncio.gather((""))# c
) 