import asyncio
async def main():k
if a:asyncio.get_event_loop(# c
).run_until_complete(main())