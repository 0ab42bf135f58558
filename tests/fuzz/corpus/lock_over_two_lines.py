import asyncio
class e:
    @asyncio.coroutine
    def c(self):
        with (yield from self
              .lock):
            i
