def f():
 async for x in g():return
async def g():
 yield
