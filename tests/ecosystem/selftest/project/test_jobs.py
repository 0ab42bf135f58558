"""The tests of the little project: they have to pass before and after every rewrite, but for the expected one."""

import asyncio
import gc
import threading
import time
import unittest

import jobs


class Gathered(unittest.IsolatedAsyncioTestCase):
    async def test_results_are_in_order(self):
        self.assertEqual(await jobs.links(["b", "a", "c"]), {"b": "B", "a": "A", "c": "C"})

    async def test_two_results_are_unpacked(self):
        self.assertEqual(await jobs.both("left", "right"), "LEFTRIGHT")

    async def test_all_run_at_once(self):
        began = time.monotonic()
        await jobs.links([str(number) for number in range(100)])
        # One after the other they would take two seconds.
        self.assertLess(time.monotonic() - began, 1.5)

    async def test_a_failure_leaves_the_siblings_running(self):
        log = []
        await asyncio.wait([asyncio.create_task(jobs.at_once(log))])
        await asyncio.sleep(0.3)
        self.assertEqual(log, ["slow"])


class Waiting(unittest.IsolatedAsyncioTestCase):
    async def test_beats_take_their_time(self):
        log, began = [], time.monotonic()
        await jobs.beat(log, 3)
        self.assertEqual(log, [0, 1, 2])
        self.assertGreaterEqual(time.monotonic() - began, 0.05)

    async def test_a_spawned_task_ends(self):
        log = []
        spawned = asyncio.create_task(jobs.spawn(log))
        await asyncio.sleep(0)
        gc.collect()
        await spawned
        self.assertEqual(log, ["kept"])

    async def test_in_time(self):
        self.assertEqual(await jobs.in_time(1), "IN TIME")

    async def test_too_late(self):
        self.assertEqual(await jobs.in_time(0.001), "too late")

    async def test_the_executor_gives_a_result(self):
        self.assertEqual(await jobs.length("four"), 4)

    async def test_later(self):
        self.assertEqual(await jobs.later("a"), "A")

    async def test_first_over(self):
        log = []
        self.assertEqual(await jobs.first_over(3, log), 4)
        # A generator that nobody closes is closed by the loop, some turns later.
        await asyncio.sleep(0.1)
        self.assertEqual(log, ["closed"])


class Driven(unittest.TestCase):
    def test_a_loop_is_driven(self):
        found = []
        thread = threading.Thread(target=lambda: found.append(jobs.drive(["a"])))
        thread.start()
        thread.join()
        self.assertEqual(found, [{"a": "A"}])
