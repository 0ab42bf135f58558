//! Codemods that come one after the other.

use crate::project::Project;

const PAGES: &str = "\
import asyncio


async def fetch(url):
    return url


async def main(urls):
    return await asyncio.gather(*[fetch(url) for url in urls])
";

#[test]
fn the_wrapper_that_limits_coroutines_runs_in_a_task_group() {
    let project = Project::of(PAGES);
    let selected = ["--limit-concurrency", "--gather-to-taskgroup", "--fix"];
    project.run(selected);
    let expected = "\
import asyncio


async def fetch(url):
    return url


async def main(urls):
    semaphore = asyncio.Semaphore(10)

    async def limited(url):
        async with semaphore:
            return await fetch(url)

    async with asyncio.TaskGroup() as tg:
        tasks = [tg.create_task(limited(url)) for url in urls]
    return [task.result() for task in tasks]
";
    assert_eq!(project.read("a.py"), expected);
    assert_eq!(project.run(selected).status, 0);
    assert_eq!(project.read("a.py"), expected);
}
