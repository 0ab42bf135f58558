//! Names whose values name them again, alone or through each other: whoever goes after what a name
//! is bound to has to come to an end.

use std::fmt::Write as _;

use super::laws::{self, Run};

/// Values that name `@`.
const VALUES: &[&str] = &[
    "@",
    "@ or fallback",
    "fallback or @",
    "@ / 'name'",
    "'name' + @",
    "(@, ValueError)",
    "[@]",
    "{1: @}",
    "@ if fallback else @",
    "not @",
    "await @",
    "@()",
    "fallback(@)",
    "asyncio.shield(@)",
    "@ + @",
    "@ or @",
    "(@, @)",
    "asyncio.create_task(@())",
    "pathlib.Path(@)",
    "@.parent",
    "@.open()",
    "@['name']",
    "f'{@}'",
    "(later := @)",
    "lambda: @",
    "[it for it in @]",
    "functools.partial(@, @)",
    "sorted(@)",
    "@ == 1",
    "-@",
];

/// Statements of a coroutine that give codemods a reason to go after `name`.
const USES: &[&str] = &[
    "try:\n        await asyncio.sleep(1)\n    except name:\n        pass",
    "try:\n        await asyncio.gather(name(), other())\n    except name:\n        pass",
    "with name:\n        time.sleep(1)",
    "with name as it:\n        await it.read()",
    "with name():\n        pass",
    "async with name as it:\n        await it",
    "for it in name:\n        os.remove(it)",
    "for it in name:\n        tasks.append(asyncio.create_task(it()))\n    await asyncio.gather(*tasks)",
    "async for it in name:\n        break",
    "async for it in name():\n        break",
    "await asyncio.gather(*name)",
    "await asyncio.gather(name, other)",
    "await asyncio.gather(*[name(it) for it in other])",
    "await asyncio.wait([name, other])",
    "await asyncio.wait_for(name, name)",
    "await asyncio.wait_for(name(), other)",
    "name()",
    "name.close()",
    "name.run_until_complete(other())",
    "asyncio.get_event_loop().run_until_complete(name)",
    "asyncio.run(name, debug=other)",
    "asyncio.run(name())",
    "asyncio.create_task(name)",
    "asyncio.ensure_future(name)",
    "name.create_task(other())",
    "await name.run_in_executor(name, name)",
    "await asyncio.get_running_loop().run_in_executor(name, other)",
    "time.sleep(name)",
    "open(name).read()",
    "with open(name) as file:\n        text = file.read()",
    "os.remove(name / other)",
    "name.read_text()",
    "shutil.copy(name, other)",
    "requests.get(name, params=other, timeout=name)",
    "requests.post(name, data=other, headers=name)",
    "name.get(other)",
    "async with aiohttp.ClientSession() as session:\n        async with session.get(name, params=other) as response:\n            print(await response.text())",
    "async with aiohttp.ClientSession(headers=name) as session:\n        await session.post(other, json=name, data=other)",
    "session = aiohttp.ClientSession(name)\n    await session.get(other)",
    "async with async_timeout.timeout(name):\n        await other",
    "if name:\n        time.sleep(1)",
    "while name:\n        await asyncio.sleep(0)",
    "asyncio.set_event_loop_policy(name)",
    "asyncio.iscoroutinefunction(name)",
    "await asyncio.sleep(1, loop=name)",
    "asyncio.Queue(loop=name)",
    "asyncio.Task(name)",
    "asyncio.Task.all_tasks(name)",
    "loop = name\n    loop.call_soon(other)",
    "loop = asyncio.new_event_loop()\n    loop.run_until_complete(name)\n    loop.close()",
];

/// How many values stand in a chain: twice as much to look at with each would never end.
const CHAIN: usize = 40;

/// A module with these bindings, at its top or in the coroutine, and these uses.
fn program(bindings: &[String], within: bool, uses: &[&str]) -> String {
    let imports = [
        "asyncio",
        "functools",
        "os",
        "pathlib",
        "shutil",
        "time",
        "aiohttp",
        "async_timeout",
        "requests",
    ];
    let mut text = String::new();
    for import in imports {
        writeln!(text, "import {import}").unwrap();
    }
    let indent = if within { "    " } else { "" };
    if within {
        text.push_str("\n\nasync def main(tasks):\n");
    }
    for binding in bindings {
        writeln!(text, "{indent}{binding}").unwrap();
    }
    if !within {
        text.push_str("\n\nasync def main(tasks):\n");
    }
    for used in uses {
        writeln!(text, "    {used}").unwrap();
    }
    text
}

/// The bindings of `name` and `other`: to themselves, to each other, and at the end of a long chain.
fn bindings(value: &str, next: &str) -> Vec<Vec<String>> {
    let bound = |name: &str, value: &str, to: &str| format!("{name} = {}", value.replace('@', to));
    let mut chain = vec!["name0 = start()".to_string()];
    for number in 1..CHAIN {
        let twice = value.replacen('@', &format!("name{}", number - 1), 1);
        let to = format!("name{}", number - 1);
        chain.push(bound(&format!("name{number}"), &twice, &to));
    }
    chain.push(format!("name = other = name{}", CHAIN - 1));
    vec![
        vec![bound("name", value, "name"), bound("other", value, "other")],
        vec![bound("name", value, "other"), bound("other", value, "name")],
        vec![bound("name", value, "other"), bound("other", next, "name")],
        chain,
    ]
}

/// The stack overflows, or the test hangs, where something does not come to an end.
#[test]
fn names_bound_to_themselves_come_to_an_end() {
    let settings = Run {
        choice: 7,
        without: usize::MAX,
        line_length: 88,
        minor: 12,
    }
    .settings();
    let mut rewritten = 0;
    for (value, next) in VALUES.iter().zip(VALUES.iter().cycle().skip(1)) {
        for bindings in bindings(value, next) {
            for within in [false, true] {
                for uses in USES.chunks(10) {
                    let text = program(&bindings, within, uses);
                    let checked = laws::check(&text, &settings);
                    let checked = checked.unwrap_or_else(|broken| panic!("{broken:?}\n{text}"));
                    rewritten += usize::from(checked.is_some_and(|it| it.output.is_some()));
                }
            }
        }
    }
    assert!(rewritten > VALUES.len(), "{rewritten} rewritten");
}
