import asyncio;k([]
)
class t:
 def d():asyncio.create_task()