import asyncio
async def n():
    try:
     \
  return await asyncio.wait_for(asyncio.gather(("")()),5)
    finally:p