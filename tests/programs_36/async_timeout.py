"""As much of async_timeout 2.0 as mirror.py needs, for Python 3.6 to 3.8."""

import asyncio


class timeout:
    def __init__(self, seconds, *, loop=None):
        self.seconds = seconds
        self.loop = loop or asyncio.get_event_loop()
        self.expired = False

    def __enter__(self):
        self.task = asyncio.Task.current_task(loop=self.loop)
        self.handle = self.loop.call_later(self.seconds, self.expire)
        return self

    def __exit__(self, kind, error, traceback):
        self.handle.cancel()
        if kind is asyncio.CancelledError and self.expired:
            raise asyncio.TimeoutError

    def expire(self):
        self.expired = True
        self.task.cancel()
