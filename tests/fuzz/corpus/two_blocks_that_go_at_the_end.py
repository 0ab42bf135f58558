import asyncio


async def main():
    print("main")


loop = asyncio.new_event_loop()
try:
    loop.run_until_complete(main())
except ValueError:
    print("failed")
    loop.close()
asyncio.set_event_loop(None)