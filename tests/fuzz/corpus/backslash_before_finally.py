import asyncio
async def main():s
loop=asyncio.new_event_loop()
try:
    loop.run_until_complete(main())
    o\

finally:loop.close()