"""Programs from seeds: what stands in a coroutine, who runs that coroutine and how, who runs the program, and its layout."""

import dataclasses
import random
import re

from grammar import NAME, Lines, Maker, Names, indented
from shapes import SHAPES

# What fails wherever it is reached: beside another shape it would only keep that from being reached.
REPAIRS = {
    "async-with",
    "await-nested-run",
    "coroutine-to-async-def",
    "drop-loop-argument",
    "task-method-to-function",
    "wait-on-tasks",
}
ALTERNATIVE = re.compile(r"«([\w-]+):([^‖»]*)‖([^»]*)»")
WITH_OTHERS = ("def", "yield from", "from asyncio import")
REFERENCE_NAME = re.compile(r"\$\$(\w+)")


@dataclasses.dataclass(frozen=True)
class Program:
    """A program, with what a person would write in the places that a codemod is about."""

    name: str
    codemod: str
    template: str

    def before(self) -> str:
        """The program as it is."""
        return ALTERNATIVE.sub(r"\2", self.template)

    def reference(self) -> str:
        """The program as a person would migrate it, as far as its own codemod goes."""
        text = ALTERNATIVE.sub(lambda it: it[3] if it[1] == self.codemod else it[2], self.template)
        named = REFERENCE_NAME.sub(r"_asyncio.\1", text)
        return named if named == text else f"import asyncio as _asyncio\n{named}"

    def places(self) -> int:
        """In how many statements a person would change something; none where nobody wrote that down."""
        # What goes with something else is no place of its own.
        ours = [it for it in ALTERNATIVE.finditer(self.template) if it[1] == self.codemod]
        alone = [it for it in ours if not it[2].startswith(WITH_OTHERS)]
        return len({self.template.count("\n", 0, it.start()) for it in alone})


def program(seed: str, index: int, codemod: str) -> Program:
    """The program of that number: the same for the same arguments, whatever the Python."""
    rng = random.Random(f"{seed}/{index}/{codemod}")
    make = Maker(rng, failing=rng.random() < 0.4)
    main = body_of_main(make, codemod)
    made = ["async def main():", *indented(main)]
    driver = run_by(make, codemod)
    parts = [*make.definitions]
    if make.methods:
        methods = [line for method in make.methods for line in (*method, "")]
        parts.append(["class Service:", *indented(methods[:-1])])
    parts.append(made)
    names = Names(rng)
    text = "\n\n\n".join("\n".join(part) for part in [*parts, driver])
    text = "\n".join(f"{name} = {value}" for name, value in make.globals.items()) + "\n\n\n" + text
    text = NAME.sub(lambda it: names.spelled(it[1]), text)
    imports = "\n".join(names.imports())
    return Program(f"p{index:06}", codemod, laid_out(rng, f"{imports}\n\n{text.strip()}\n"))


# ------------------------------------------------------------------ what runs


def body_of_main(make: Maker, codemod: str) -> Lines:
    """What the coroutine `main` does: things one after the other, while others go on beside."""
    noise = [name for name in SHAPES if name not in REPAIRS]
    chosen = [codemod]
    for _ in range(make.pick(0, 0, 1, 1, 2)):
        chosen.append(codemod if make.chance(0.5) else make.pick(*noise))
    if make.chance(0.3):
        make.rng.shuffle(chosen)
    lines: Lines = []
    for name in chosen:
        lines += site(make, name)
    # Somebody else whom one would see blocked, or left alone.
    beside = make.rng.random()
    if codemod in ("run-until-complete-to-run", "await-sleep", "blocking-to-thread", "executor-to-thread"):
        beside /= 2
    if beside < 0.3:
        ticker = ["async def ticker(name):", *indented(make.pick(*TICKERS))]
        make.definitions.append(ticker)
        lines.insert(0, 'ticking = $create_task(ticker("z"))')
        lines += make.pick(
            ["await ticking"],
            ["await ticking"],
            ["ticking.cancel()"],
            ["await $sleep(0.1)", 'print("main", "ticking", not ticking)'],
        )
    lines += make.pick(['print("main", "end")'], ['print("main", "end")', 'return "all"'])
    return lines


TICKERS = (
    ["for tick in range(4):", "    await $sleep(0.76)", '    print(name, "tick", tick)'],
    [
        *("try:", "    for tick in range(4):", "        await $sleep(0.47)", '        print(name, "tick", tick)'),
        *("finally:", '    print(name, "finally")'),
    ],
    [
        *("try:", "    await $sleep(2.26)", '    print(name, "tick")'),
        *("except $CancelledError:", '    print(name, "cancelled")', "    await $sleep(0.1)"),
        *('    print(name, "cleaned")', "    raise"),
    ],
)


def site(make: Maker, codemod: str) -> Lines:
    """One shape, in `main` itself or in a coroutine that `main` runs."""
    shape = SHAPES[codemod]
    # Who cancels and is cancelled is part of that shape.
    if make.chance(0.45):
        return make.wrapped(shape(make, '"main"', False), '"main"')
    method = make.chance(0.35)
    name = make.fresh(make.pick("hold", "serve", "step_on"))
    who = make.pick("name", "name", "str(name)")
    body = make.wrapped(shape(make, who, method), who)
    body += make.pick(['print(name, "over")'], ['print(name, "over")', "return name"])
    header = f"async def {name}({'self, ' * method}name):"
    (make.methods if method else make.definitions).append([header, *indented(body)])
    number = make.counts["holders"] = make.counts.get("holders", 0) + 1
    label = f'"H{number}"'
    running = f"{'Service().' * method}{name}({label})"
    return run_from_main(make, running, label, codemod)


def run_from_main(make: Maker, running: str, label: str, codemod: str) -> Lines:
    """How `main` runs a coroutine that has things to do."""
    task = make.fresh("running")
    match make.rng.randrange(10):
        case 0 | 1 | 2 | 3:
            return [f"await {running}"]
        case 4:
            return [f'print("main", "result", await {running})']
        case 5:
            return [f"{task} = $create_task({running})", f"await {task}"]
        case 6:
            return [
                f"{task} = $create_task({running})",
                *(f"await $sleep({make.pick('0', '0.22', '0.62', '1.22')})", f"{task}.cancel()"),
                *("try:", f"    await {task}", '    print("main", "not cancelled")'),
                *("except $CancelledError:", '    print("main", "saw cancelled")'),
            ]
        case 7:
            limit = make.pick("0.33", "1.03", "30")
            return [
                *("try:", f"    async with $timeout({limit}):", f"        await {running}"),
                *("except TimeoutError:", '    print("main", "late")'),
            ]
        case 8:
            other = running.replace(label, label[:-1] + 'x"')
            return [
                *("async with $TaskGroup() as running_group:", f"    running_group.create_task({running})"),
                f"    running_group.create_task({other})",
            ]
        case _:
            other = running.replace(label, label[:-1] + 'x"')
            both = f"await $gather({running}, {other}, return_exceptions=True)"
            return [f'print("main", "gathered", [isinstance(each, Exception) for each in {both}])']


def run_by(make: Maker, codemod: str) -> Lines:
    """How the program runs `main`."""
    if codemod == "run-until-complete-to-run":
        return driven_by_hand(make)
    if codemod == "run-debug":
        make.definitions[:0] = [
            ["async def shown():", '    print("debug", $get_running_loop().get_debug())', "    return await main()"]
        ]
        return make.pick(
            ["$run(shown())"],
            ['if __name__ == "__main__":', '    print("program", $run(shown()))'],
            ["with $Runner() as runner:", "    runner.run(shown())", "    runner.run(main())"],
        )
    return make.pick(
        ["$run(main())"],
        ["$run(main())"],
        ["$run(main())"],
        ['if __name__ == "__main__":', "    $run(main())"],
        ['print("program", $run(main()))'],
        ["def start():", "    $run(main())", "", "", "start()"],
        ["try:", "    $run(main())", "except Exception as error:", '    print("program", "failed")'],
        ["try:", "    $run(main())", "finally:", '    print("program", "finally")'],
        ["with $Runner() as runner:", "    runner.run(main())"],
    )


def driven_by_hand(make: Maker) -> Lines:
    """A loop that the program makes and runs by itself."""
    made = make.pick("$get_event_loop()", "$new_event_loop()", "$new_event_loop()")
    sets = ["$set_event_loop(loop)"] if "new" in made else []
    runs = make.pick(
        ["loop.run_until_complete(main())"],
        ["loop.run_until_complete(main())"],
        ['print("program", loop.run_until_complete(main()))'],
        ["result = loop.run_until_complete(main())", 'print("program", result)'],
        ["loop.run_until_complete($wait_for(main(), 99))"],
        ["loop.run_until_complete(main())", 'print("program", "again")', "loop.run_until_complete(main())"],
        ["loop.run_until_complete(main())", "loop.run_until_complete(loop.shutdown_asyncgens())"],
        ["task = loop.create_task(main())", "loop.run_until_complete(task)"],
    )
    if make.chance(0.2):
        runs = [f"loop.set_debug({make.pick('False', 'True')})", *runs]
    match make.rng.randrange(5):
        case 0:
            lines = [f"loop = {made}", *sets, *runs, "loop.close()"]
        case 1:
            lines = [f"loop = {made}", *sets, "try:", *indented(runs), "finally:", "    loop.close()"]
        case 2:
            lines = [f"{made}.run_until_complete(main())"]
        case 3:
            handler = ["except KeyboardInterrupt:", '    print("program", "interrupted")']
            lines = [f"loop = {made}", *sets, "try:", *indented(runs), *handler]
        case _:
            body = [f"loop = {made}", *sets, "try:", *indented(runs), "finally:", "    loop.close()"]
            name = make.pick("start", "run_it")
            call_of = [f"{name}()"] if make.chance(0.5) else ['if __name__ == "__main__":', f"    {name}()"]
            return [f"def {name}():", *indented(body), "", "", *call_of, 'print("program", "end")']
    if make.chance(0.3):
        lines = ['if __name__ == "__main__":', *indented(lines)]
    return [*lines, 'print("program", "end")']


# ------------------------------------------------------------------ what it looks like


def laid_out(rng: random.Random, text: str) -> str:
    """The text with comments, and with the indentation, the line ends and the last line that a program may have."""
    lines = []
    for number, line in enumerate(text.split("\n")):
        depth = len(line) - len(line.lstrip())
        continues = line.strip()[:1] in (")", "]", "}") or line.lstrip().startswith("*")
        if line.strip() and not continues and rng.random() < 0.04:
            lines.append(f"{' ' * depth}# comment {number}")
        if line.strip() and not line.startswith("«") and "#" not in line and rng.random() < 0.03:
            line += f"  # remark {number}"
        lines.append(line)
    text = "\n".join(lines)
    unit = rng.choice(("    ",) * 8 + ("  ", "\t", "   "))
    text = re.sub(r"(?m)^(?:    )+", lambda it: unit * (len(it[0]) // 4), text)
    if rng.random() < 0.06:
        text = text.rstrip("\n")
    if rng.random() < 0.06:
        text = text.replace("\n", "\r\n")
    return text
