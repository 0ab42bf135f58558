import asyncio
loop=asyncio.get_event_loop()
#
try:loop.run_until_complete(asyncio.wait_for(asyncio.gather()))
finally:o
try:loop.run_until_complete((asyncio.gather()))
finally:()