import asyncio
async def main():o
try:loop.run_until_complete(main())
except:
    ("")
    loop.close()
loop=asyncio.new_event_loop()