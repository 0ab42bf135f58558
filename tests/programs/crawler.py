"""Fetch some pages side by side, politely. The pages are made up: no network is needed."""

import asyncio
import time

PAGES = {"/": ["/a", "/b"], "/a": ["/b"], "/b": []}


async def fetch(path):
    await asyncio.sleep(0.001 * len(path))
    return PAGES[path]


async def fetch_politely(path):
    time.sleep(0.001)  # not more than a thousand a second
    return await fetch(path)


async def links(paths):
    found = await asyncio.gather(*[fetch(path) for path in paths])
    return dict(zip(paths, found))


async def crawl():
    first, second = await asyncio.gather(
        fetch("/"),  # the start page
        fetch_politely("/a"),
    )
    print("first", first, "second", second)
    for path, targets in (await links(sorted(PAGES))).items():
        print(path, "->", ", ".join(targets) or "nothing")


loop = asyncio.new_event_loop()
try:
    loop.run_until_complete(crawl())
finally:
    loop.close()
