"""Copy a site page by page. Written for Python 3.6; the site is made up: no network is needed."""

import asyncio

import async_timeout

PAGES = {
    "/": ["/a", "/b", "/slow"],
    "/a": ["/b", "/c"],
    "/b": ["/"],
    "/c": [],
    "/slow": ["/never"],
}


class Server:
    """What answers, after a while."""

    def __init__(self, loop=None):
        self.loop = loop
        self.lock = asyncio.Lock(loop=loop)
        self.asked = 0

    @asyncio.coroutine
    def count(self):
        with (yield from self.lock):
            self.asked += 1
            yield

    @asyncio.coroutine
    def get(self, path):
        yield from self.count()
        delay = 5 if path == "/slow" else 0.01
        yield from asyncio.sleep(delay, loop=self.loop)
        return PAGES[path]

    @asyncio.coroutine
    def title(self, path):
        # Nothing to wait for.
        return "page {}".format(path)


class Mirror:
    def __init__(self, server, loop):
        self.server = server
        self.loop = loop
        self.queue = asyncio.Queue(loop=loop)
        self.seen = {}
        self.failed = []

    async def fetch(self, path):
        with async_timeout.timeout(0.5):
            return await self.server.get(path)

    async def visit(self, path):
        try:
            links = await self.fetch(path)
        except asyncio.TimeoutError:
            self.failed.append(path)
            return
        title = await self.server.title(path)
        self.seen[path] = title
        for link in links:
            await self.queue.put(link)

    @asyncio.coroutine
    def work(self, known):
        while True:
            path = yield from self.queue.get()
            try:
                if path not in known:
                    known.add(path)
                    yield from self.visit(path)
            finally:
                self.queue.task_done()

    async def run(self, start):
        loop = asyncio.get_event_loop()
        known = set()
        workers = [asyncio.ensure_future(self.work(known), loop=loop) for _ in range(3)]
        await self.queue.put(start)
        await self.queue.join()
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers, loop=loop, timeout=1)


@asyncio.coroutine
def report(mirror):
    for path in sorted(mirror.seen):
        title = yield from mirror.server.title(path)
        print("{}: {}".format(path, title))
    titles = yield from asyncio.gather(*[mirror.server.title(path) for path in mirror.failed])
    print("failed:", *titles)
    done = yield from asyncio.wait_for(finished(mirror), 1)
    print(done, "pages of", mirror.server.asked)


async def finished(mirror):
    await asyncio.sleep(0.001)
    return len(mirror.seen)


async def main():
    loop = asyncio.get_event_loop()
    server = Server(loop=loop)
    mirror = Mirror(server, loop)
    await mirror.run("/")
    task = asyncio.ensure_future(report(mirror))
    await task


if __name__ == "__main__":
    loop = asyncio.get_event_loop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
