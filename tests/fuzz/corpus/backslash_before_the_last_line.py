import asyncio
async def main():s
loop=asyncio.new_event_loop()
loop.run_until_complete(main())
o\

loop.close()