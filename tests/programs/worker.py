"""Take orders, and do the work for them in the background."""

import asyncio


class Kitchen:
    def __init__(self):
        self.done = []

    async def cook(self, dish, minutes):
        await asyncio.sleep(minutes / 10_000)
        self.done.append(dish)

    async def take(self, dish, minutes):
        asyncio.create_task(self.cook(dish, minutes))
        return f"{dish} is on its way"

    async def cook_all(self, dishes):
        tasks = []
        for minutes, dish in enumerate(dishes):
            tasks.append(asyncio.create_task(self.cook(dish, minutes)))
        if tasks:
            await asyncio.gather(*tasks)


async def main():
    kitchen = Kitchen()
    print(await kitchen.take("soup", 30))
    print(await kitchen.take("bread", 10))
    await asyncio.sleep(0.05)
    await kitchen.cook_all(["egg", "toast", "tea"])
    print(*kitchen.done)


if __name__ == "__main__":
    asyncio.get_event_loop().run_until_complete(main())
