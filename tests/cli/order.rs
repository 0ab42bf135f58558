//! Codemods that come one after the other.

use crate::project::Project;

const PAGES: &str = "\
import asyncio


async def fetch(url):
    await asyncio.sleep(0)
    return url


async def main(urls):
    return await asyncio.gather(*[fetch(url) for url in urls])
";

#[test]
fn the_wrapper_that_limits_coroutines_runs_in_a_task_group() {
    let project = Project::of(PAGES);
    let selected = [
        "--limit-concurrency",
        "--gather-to-taskgroup",
        "--unsafe-fixes",
        "--fix",
    ];
    project.run(selected);
    let expected = "\
import asyncio


async def fetch(url):
    await asyncio.sleep(0)
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

/// gather-to-taskgroup moves the loop into its block while keep-task-reference writes three lines
/// into it: one after the other.
#[test]
fn lines_that_are_written_into_a_block_that_moves_move_along() {
    let project = Project::of(
        "\
import asyncio


async def g(x): ...


async def f(xs):
    tasks = []
    for x in xs:
        if x:
            asyncio.create_task(g(x))
        tasks.append(g(x))
    await asyncio.gather(*tasks)
",
    );
    assert_eq!(project.run(["--fix", "a.py"]).status, 0);
    assert_eq!(
        project.read("a.py"),
        "\
import asyncio

background_tasks: set[asyncio.Task] = set()


async def g(x): ...


async def f(xs):
    async with asyncio.TaskGroup() as tg:
        for x in xs:
            if x:
                task = asyncio.create_task(g(x))
                background_tasks.add(task)
                task.add_done_callback(background_tasks.discard)
                del task
            tg.create_task(g(x))
"
    );
}
