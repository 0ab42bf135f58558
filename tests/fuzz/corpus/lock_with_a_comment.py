import asyncio
class e:
    @asyncio.coroutine
    def t():
     with(yield from# c
lock):1