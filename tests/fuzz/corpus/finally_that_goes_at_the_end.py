import asyncio
async def main():
    pass
loop = asyncio.new_event_loop()
try:
    loop.run_until_complete(main())
    loop.close()
finally:
    loop.close()