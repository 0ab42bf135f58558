import asyncio
class Loop(asyncio.SelectorEventLoop):s
async def main():(())
loop=Loop()
try:
 with():
  loop.run_until_complete(main())
finally:loop.close()