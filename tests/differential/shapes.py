"""The statements that the codemods are about, in the ways in which people write them.

A shape is a function that is given the `Maker`, `who` says what happens (the text of an expression), and whether the
statements stand in a method. It returns the statements. `«codemod:old‖new»` marks what is rewritten, where one can say
before what a person would write: see grammar.py.
"""

from collections.abc import Callable

from gathering import call, gather, labels, limit_concurrency, wait_on_tasks
from grammar import Lines, Maker, indented

Shape = Callable[[Maker, str, bool], Lines]


# ------------------------------------------------------------------ a coroutine and the time it takes


def await_sleep(make: Maker, who: str, method: bool) -> Lines:
    """`time.sleep` in a coroutine."""
    seconds = make.pick("0.3", "1", "0", "len('ab')", "0.25 * 2", "max(0.1, 0.2)")
    expr = f"«await-sleep:$sleep_blocking({seconds})‖await $$sleep({seconds})»"
    used = make.pick(
        *[[expr]] * 6,
        [f"values = [{expr} for _ in range(2)]", f'print({who}, "values", values)'],
        [f'print({who}, "slept", {expr})'],
        [f"if not ({expr}):", f'    print({who}, "slept on")'],
        ["try:", f"    {expr}", "except ValueError:", f'    print({who}, "no")'],
        ["with $ThreadLock():", f"    {expr}"],
        [f"async with {make.shared('lock', '$Lock()')}:", f"    {expr}", f'    print({who}, "held")'],
        [f"def {make.fresh('sync')}():", "    $sleep_blocking(0)", expr],
        [
            f"async def {(name := make.fresh('pause'))}():",
            f"    {expr}",
            f'    print({who}, "paused")',
            f"await {name}()",
        ],
        [f"for {make.fresh('again')} in range(2):", f"    {expr}", f'    print({who}, "turned")'],
        ["try:", "    pass", "finally:", f"    {expr}"],
        ["any($sleep_blocking(0) for _ in range(2))", expr],
    )
    return [f'print({who}, "sleeps")', *used, f'print({who}, "slept")']


def blocking_to_thread(make: Maker, who: str, method: bool) -> Lines:
    """Calls that block."""
    seconds = make.pick("0.3", "1", "2")
    command = f'[{make.pick("`true`", "`false`", "`ls`")}, "{seconds}"]'.replace("`", '"')
    function = make.fresh("load")
    load = [
        f"def {function}(seconds):",
        '    got = $run_process(["ls", str(seconds)], capture_output=True)',
        '    return f"{got.returncode} {seconds}"',
    ]
    match make.rng.randrange(7):
        case 0 | 1:
            expr = f"$run_process({command}, check={make.pick('False', 'False', 'True')}).returncode"
        case 2:
            expr = f"$check_output({command})"
        case 3:
            expr = f"$call({command})"
        case 4 | 5:
            make.definitions.append(load)
            expr = f"{function}({seconds})"
        case _:
            expr = f"$run_process({command}, capture_output=True, text=True).stdout"
    return [f'print({who}, "blocks")', *make.use(expr, who, short=make.chance(0.6)), f'print({who}, "went on")']


def wait_for(make: Maker, who: str, method: bool) -> Lines:
    """`wait_for` of one coroutine."""
    limit = make.pick("5", "0.44", "1.04", "10")
    coroutine = make.pick(call(make, method), call(make, method), '$sleep(0.3, "slept")', varying(make))
    written = f"await $wait_for({coroutine}, {make.pick('', 'timeout=')}{limit})"
    value = make.fresh("value")
    lines = make.pick(
        [written],
        [f"{value} = {written}", f'print({who}, "got", {value})'],
        [f"if {who}:", f"    {written}"],
        make.inner([f"return {written}"], f'print({who}, "got", await ', ")"),
        [f'print({who}, "got", {written})'],
        [f"first_{value}, second_{value} = {written.replace(coroutine, '$sleep(0.1, (1, 2))')}"],
    )
    if make.chance(0.6):
        lines = ["try:", *indented(lines), "except $TimeoutError:", f'    print({who}, "late")']
    if "varies" in coroutine:
        lines += [f'print({who}, "var", var.get())']
    return lines


def varying(make: Maker) -> str:
    """A coroutine that sets a context variable."""
    make.shared("var", '$ContextVar("var", default="nothing")')
    lines = ["async def varies(name):", "    var.set(name)", "    await $sleep(0.1)", "    return var.get()"]
    if lines not in make.definitions:
        make.definitions.append(lines)
    return f"varies({make.label()})"


def builtin_timeout_error(make: Maker, who: str, method: bool) -> Lines:
    """The name `asyncio.TimeoutError`."""
    limited = f"await $wait_for($sleep({make.pick('3', '0.1')}), 0.5)"
    error = make.fresh("TooLate")
    return make.pick(
        ["try:", f"    {limited}", "except $TimeoutError:", f'    print({who}, "late")'],
        [
            "try:",
            f"    {limited}",
            "except (OSError, $TimeoutError) as error:",
            f"    print({who}, type(error).__name__)",
        ],
        ["try:", f"    {limited}", "except (TimeoutError, $TimeoutError):", f'    print({who}, "late")'],
        ["with $suppress($TimeoutError):", f"    {limited}"],
        [f"class {error}($TimeoutError):", "    pass", f'print({who}, "is", issubclass({error}, TimeoutError))'],
        [f"{error} = $TimeoutError", f'print({who}, "is", {error} is TimeoutError, {error}.__name__)'],
        ["try:", "    raise $TimeoutError(1)", "except TimeoutError as error:", f"    print({who}, error)"],
        ["match $TimeoutError():", "    case $TimeoutError():", f'        print({who}, "late")'],
    )


# ------------------------------------------------------------------ tasks, loops, executors


def keep_task_reference(make: Maker, who: str, method: bool) -> Lines:
    """A task that nothing refers to."""
    coroutine = call(make, method, quiet=make.chance(0.7))
    made = make.pick("$create_task", "$create_task", "$ensure_future", "$get_running_loop().create_task")
    statement = f"{made}({coroutine})"
    lines = make.pick(
        *[[statement]] * 5,
        [f'{statement}.add_done_callback(lambda task: print("s", "called back"))'],
        [f"for label in {labels(make)}:", f"    {made}({make.child(False)('label', 'False')})"],
        [f"if {who}: {statement}"],
        ["async with $TaskGroup() as group:", f"    {statement}"],
        [f"(lambda: {statement})()"],
        [f"_ = {statement}"],
        [f"task = {statement}", f'print({who}, "made", task.done())'],
        [f"def {(name := make.fresh('start'))}():", f"    {statement.replace('self.', '')}", f"{name}()"]
        if "self." not in statement
        else [statement],
    )
    return [*lines, *make.pick([], ["await $sleep(0)"], ["await $sleep(3)"], [f'print({who}, "started")'])]


def ensure_future(make: Maker, who: str, method: bool) -> Lines:
    """`ensure_future` of a coroutine."""
    task = make.fresh("task")
    return make.pick(
        [f"{task} = $ensure_future({call(make, method)})", *make.use(f"await {task}", who, short=True)],
        make.use(f"await $ensure_future({call(make, method)})", who),
        [f"{task} = [$ensure_future({call(make, method)})]", f"await $wait({task})"],
        [f"{task} = $ensure_future($sleep(0.2, 1))", f'print({who}, "got", await {task}, {task}.get_name()[:0])'],
        [f"{task} = $ensure_future($ensure_future({call(make, method)}))", f"await {task}"],
    )


def task_to_create_task(make: Maker, who: str, method: bool) -> Lines:
    """`Task` called as a class."""
    task = make.fresh("task")
    extra = make.pick("", "", ', name="named"')
    return make.pick(
        [f"{task} = $Task({call(make, method)}{extra})", *make.use(f"await {task}", who, short=True)],
        make.use(f"await $Task({call(make, method)}{extra})", who),
        [f"{task} = $Task({call(make, method)})", f'print({who}, "is", isinstance({task}, $Task))', f"await {task}"],
    )


def running_loop(make: Maker, who: str, method: bool) -> Lines:
    """`get_event_loop` in a coroutine."""
    loop = make.fresh("loop")
    return make.pick(
        [f"{loop} = $get_event_loop()", f'print({who}, "at", {loop}.time() >= 0)'],
        [f'print({who}, "same", $get_event_loop() is $get_running_loop())'],
        [f"{loop} = $get_event_loop()", f'{loop}.call_later(0.2, print, {who}, "later")', "await $sleep(0.3)"],
        [f"await $get_event_loop().create_task({call(make, method)})"],
        [f"def {loop}(given=$get_event_loop()):", "    return given.is_running()", f"print({who}, {loop}())"],
        [f"{loop} = lambda: $get_event_loop()", f"print({who}, {loop}().is_running())"],
        [f"print({who}, [$get_event_loop().is_running() for _ in range(2)])"],
        [f"print({who}, all($get_event_loop().is_running() for _ in range(2)))"],
        [f"{loop} = ($get_event_loop().time() for _ in range(2))", f"print({who}, len(list({loop})))"],
    )


def executor_to_thread(make: Maker, who: str, method: bool) -> Lines:
    """`run_in_executor` that is awaited at once."""
    loop = make.fresh("loop")
    get = make.pick("$get_running_loop()", "$get_event_loop()")
    function = make.fresh("compute")
    body = make.pick(
        ["return (args, tuple(kwargs.items()))"],
        ["$sleep_blocking(0.5)", "return args"],
        ['print("thread", "computes")', "return sum(map(len, map(str, args)))"],
        ['raise ValueError("a")'] if make.failing else ["return 1"],
    )
    make.definitions.append([f"def {function}(*args, **kwargs):", *indented(body)])
    given = make.pick("", ", 1", ', "x", 2', ", *[1, 2]")
    target = make.pick(function, function, f"$partial({function}, 3, key=4)", "str", f"lambda: {function}(5)")
    if target.startswith("lambda"):
        given = ""
    elif target == "str":
        given = ", 7"
    extra = []
    if make.chance(0.25):
        make.shared("var", '$ContextVar("var", default="nothing")')
        extra = [f"var.set({who})", f'print({who}, "var", await {{}}.run_in_executor(None, var.get))']
    if make.chance(0.5):
        lines = make.use(f"await {loop}.run_in_executor(None, {target}{given})", who, short=make.chance(0.5))
        return [f"{loop} = {get}", *lines, *(line.format(loop) for line in extra)]
    lines = make.use(f"await {get}.run_in_executor(None, {target}{given})", who, short=make.chance(0.5))
    return [*lines, *(line.format(get) for line in extra)]


def drop_loop_argument(make: Maker, who: str, method: bool) -> Lines:
    """`loop=`, which is no argument any longer."""
    loop = make.fresh("loop")
    value = make.pick(loop, loop, "None", "$get_running_loop()")

    def gone(text: str) -> str:
        return f"«drop-loop-argument:{text}={value}‖»"

    lines = make.pick(
        [f"await $sleep(0.2{gone(', loop')})"],
        make.use(f"await $gather({call(make, method)}, {call(make, method)}{gone(', loop')})", who, 2, short=True),
        make.use(f"await $wait_for({call(make, method)}, 9{gone(', loop')})", who, short=True),
        [f"lock = $Lock({gone('loop')})", "async with lock:", f'    print({who}, "locked")'],
        [f"queue = $Queue(maxsize=2{gone(', loop')})", "await queue.put(1)", f"print({who}, await queue.get())"],
        [f"event = $Event({gone('loop')})", "event.set()", f"print({who}, await event.wait())"],
        [f"for each in $as_completed([{call(make, method)}]{gone(', loop')}):", "    await each"],
        [f"await $shield({call(make, method)}{gone(', loop')})"],
    )
    return [f"{loop} = $get_running_loop()", *lines]


def task_method(make: Maker, who: str, method: bool) -> Lines:
    """`Task.current_task` and `Task.all_tasks`."""
    current = "«task-method-to-function:$Task.current_task()‖$$current_task()»"
    every = "«task-method-to-function:$Task.all_tasks()‖$$all_tasks()»"
    return make.pick(
        [f'print({who}, "done", {current}.done())'],
        [f"task = {current}", f'print({who}, "cancelled", task.cancelled())'],
        [f'print({who}, "all", len([task for task in {every} if not task.done()]) > 0)'],
        [f"for task in {every}:", f'    print({who}, "one")', "    break"],
    )


def inspect_iscoroutinefunction(make: Maker, who: str, method: bool) -> Lines:
    """`asyncio.iscoroutinefunction`."""
    child = make.child(False)
    asked = make.pick(child.name, "print", "$sleep", "len", f"$partial({child.name}, 1)", "lambda: 1")
    return make.pick(
        make.use(f"$iscoroutinefunction({asked})", who),
        [f'print({who}, "which", [$iscoroutinefunction(each) for each in ({asked}, print)])'],
        [f'print({who}, "which", len(list(filter($iscoroutinefunction, [{asked}]))))'],
    )


# ------------------------------------------------------------------ what is entered, awaited, or run where it should not


def async_with(make: Maker, who: str, method: bool) -> Lines:
    """`with` on what has to be entered asynchronously, which fails."""
    entered = make.pick("$Lock()", "$timeout(5)", "$Semaphore(2)", "$Condition()", make.shared("lock", "$Lock()"))
    keyword = "«async-with:with‖async with»"
    body = make.pick([f'print({who}, "in")'], ["await $sleep(0.2)", f'print({who}, "in")'], ["pass"])
    group = make.fresh("group")
    generator = make.fresh("opened")
    opened = [
        "@$asynccontextmanager",
        f"async def {generator}():",
        '    print("it", "opened")',
        "    try:",
        '        yield "it"',
        "    finally:",
        '        print("it", "closed")',
    ]
    return make.pick(
        [f"{keyword} {entered}:", *indented(body)],
        [f"{keyword} {entered}:", *indented(body)],
        [f"{keyword} $TaskGroup() as {group}:", f"    {group}.create_task({call(make, method, quiet=True)})"],
        [f"{keyword} $timeout(0.54) as {group}:", *indented(body), f'print({who}, "expired", {group}.expired())'],
        [*opened, f"{keyword} {generator}() as {group}:", *indented(body), f'    print({who}, "has", {group})'],
        [f'{keyword} {entered}: print({who}, "in")'],
        [f"with $nullcontext(1) as {group}:", f"    {keyword} {entered}:", *indented(body, 2)],
    )


def await_coroutine(make: Maker, who: str, method: bool) -> Lines:
    """A coroutine that nobody awaits."""
    coroutine = call(make, method, quiet=True)
    awaited = f"«await-coroutine:‖await »{coroutine}"
    bracketed = f"«await-coroutine:‖(await »{coroutine}«await-coroutine:‖)»"
    return make.pick(
        *[[awaited]] * 3,
        [f"if {awaited}:", f'    print({who}, "true")'],
        [f"if not {awaited}:", f'    print({who}, "not")', "else:", f'    print({who}, "true")'],
        [f'print({who}, "equal", {awaited} == 1)'],
        [f'print({who}, "length", {bracketed}[0])'],
        ["«await-coroutine:‖await »$sleep(0.5)", f'print({who}, "slept")'],
        ["queue = $Queue()", "«await-coroutine:‖await »queue.put(1)", f'print({who}, "size", queue.qsize())'],
        [f"if {who}: {awaited}"],
    )


def await_nested_run(make: Maker, who: str, method: bool) -> Lines:
    """Running a loop inside of a coroutine, which fails."""
    coroutine = call(make, method, quiet=make.chance(0.7))
    old = make.pick(
        f"$run({coroutine})",
        f"$run({coroutine})",
        f"$get_event_loop().run_until_complete({coroutine})",
        f"$new_event_loop().run_until_complete({coroutine})",
    )
    return make.use(f"«await-nested-run:{old}‖await {coroutine}»", who, short=make.chance(0.6))


def reraise_cancelled(make: Maker, who: str, method: bool) -> Lines:
    """A handler that swallows a cancellation, in a task that is cancelled."""
    name, task, label = make.fresh("guarded"), make.fresh("task"), make.label()
    waits = make.pick("await $sleep(5)", "await $Event().wait()", f"await {call(make, False, label, quiet=True)}")
    caught = make.pick("$CancelledError", "$CancelledError", "BaseException", "", "(ValueError, $CancelledError)")
    handler = f"except {caught}:".replace(" :", ":")
    body = ["try:", *make.pick([], ['    print(label, "tries")']), f"    {waits}"]
    body += [handler, f'    print(label, "cancelled"){make.pick("", "  # it goes")}']
    body += make.pick([], [], ["    await $sleep(0.1)", '    print(label, "cleaned")'], ["    return"])
    body += make.pick([], [], ["finally:", '    print(label, "finally")'])
    body += make.pick([], [], ['print(label, "goes on")'])
    cancels = [
        f"{task} = $create_task({name}({label}))",
        f"await $sleep({make.pick('0', '0.14', '0.34')})",
        f"{task}.cancel()",
    ]
    ends = make.pick(
        [f"await $wait([{task}])", f'print({who}, "gone", {task}.cancelled())'],
        [
            "try:",
            f"    await {task}",
            f'    print({who}, "went on")',
            "except $CancelledError:",
            f'    print({who}, "gone")',
        ],
        [f"await $gather({task}, return_exceptions=True)", f'print({who}, "gathered")'],
        ["await $sleep(1)", f'print({who}, "gone", {task}.done())'],
    )
    limited = [
        *("try:", "    async with $timeout(0.43):", f"        await {name}({label})"),
        *(f'    print({who}, "in time")', "except TimeoutError:", f'    print({who}, "late")'),
    ]
    return [f"async def {name}(label):", *indented(body), *make.pick([*cancels, *ends], [*cancels, *ends], limited)]


def close_async_generator(make: Maker, who: str, method: bool) -> Lines:
    """A loop over an asynchronous generator that is left early."""
    name = make.fresh("numbers")
    yields = ["for number in range(3):", *make.pick([], ["    await $sleep(0.1)"]), "    yield number"]
    cleanup = ["finally:", '    print(who, "cleanup")']
    waits = ['    print(who, "cleanup waits")', "    await $sleep(0)", '    print(who, "cleanup over")']
    body = make.pick(
        yields,
        ["try:", *indented(yields), *cleanup],
        ["try:", *indented(yields), *cleanup],
        ["async with $Lock():", *indented(yields), 'print(who, "all")'],
        ["try:", *indented(yields), *cleanup, *waits],
    )
    leaves = make.pick(
        ["if number == 1:", "    break"],
        ["break"],
        ["await $sleep(0.1)"],
        ["if number > 1:", f"    raise {make.pick('ValueError', 'KeyError')}({who})"] if make.failing else ["break"],
        ["continue"],
    )
    define = [f"async def {name}(who):", *indented(body)]
    if make.chance(0.5):
        make.definitions.append(define)
        define = []
    loop = [f"async for number in {name}({who}):", f'    print({who}, "number", number)']
    if make.chance(0.3):
        returns = [*loop, "    if number == 1:", "        return number"]
        return [*define, *make.inner(returns, f'print({who}, "found", await ', ")"), f'print({who}, "after")']
    loop += indented(leaves)
    if make.chance(0.25):
        loop += ["else:", f'    print({who}, "to the end")']
    return [*define, *loop, f'print({who}, "after")']


def coroutine_to_async_def(make: Maker, who: str, method: bool) -> Lines:
    """A coroutine of the old kind, which fails where it is defined."""
    name = make.fresh("old")
    label = make.label()
    tag = "coroutine-to-async-def"
    header = f"«{tag}:@$coroutine‖»"
    waits = make.pick(
        [f"    «{tag}:yield from‖await» $sleep(0.2)"],
        [f"    got = «{tag}:yield from‖await» $sleep(0.2, 3)", f'    print({label}, "got", got)'],
        ["    for _ in range(2):", f"        «{tag}:yield from‖await» $sleep(0.1)"],
        [f"    «{tag}:yield from‖await» {call(make, False, quiet=True)}"],
    )
    make.definitions.append([header, f"«{tag}:def‖async def» {name}():", *waits, '    return "old"'])
    return make.use(f"await {name}()", who, short=True)


def async_timeout(make: Maker, who: str, method: bool) -> Lines:
    """A time limit as the package async_timeout has it."""
    limit = make.fresh("limit")
    seconds = make.pick("0.44", "5", "1.04")
    named = make.chance(0.4)
    body = make.pick([f"await {call(make, method)}"], ["await $sleep(0.5)", f'print({who}, "in time")'])
    lines = [f"async with $limited({seconds}){f' as {limit}' * named}:", *indented(body)]
    if make.chance(0.7):
        lines = ["try:", *indented(lines), "except $TimeoutError:", f'    print({who}, "late")']
        if named:
            lines += [f'print({who}, "expired", {limit}.expired)']
    return lines


def plain(make: Maker, who: str, method: bool) -> Lines:
    """What no codemod is about."""
    make.ticks()
    return make.pick(
        make.use(f"await {call(make, method)}", who),
        ["async with $TaskGroup() as group:", f"    group.create_task({call(make, method)})"],
        [f"future = $create_task({call(make, method)})", "await $wait({future})", f"print({who}, future.done())"],
        ["async for tick in ticks(2):", f'    print({who}, "tick", tick)'],
        [f"await $gather({call(make, method)}, return_exceptions=True)"],
        [f'print({who}, "computed", sum(x * x for x in range(4)))'],
        ["await $sleep(0.3)", f'print({who}, "waited")'],
    )


# The codemods that this net covers, each with the shape that it is about.
SHAPES: dict[str, Shape] = {
    "gather-to-taskgroup": gather,
    "run-until-complete-to-run": plain,
    "await-sleep": await_sleep,
    "keep-task-reference": keep_task_reference,
    "limit-concurrency": limit_concurrency,
    "await-nested-run": await_nested_run,
    "run-debug": plain,
    "close-async-generator": close_async_generator,
    "blocking-to-thread": blocking_to_thread,
    "async-timeout-to-timeout": async_timeout,
    "wait-for-to-timeout": wait_for,
    "async-with": async_with,
    "builtin-timeout-error": builtin_timeout_error,
    "drop-loop-argument": drop_loop_argument,
    "ensure-future-to-create-task": ensure_future,
    "wait-on-tasks": wait_on_tasks,
    "executor-to-thread": executor_to_thread,
    "task-to-create-task": task_to_create_task,
    "task-method-to-function": task_method,
    "running-loop": running_loop,
    "inspect-iscoroutinefunction": inspect_iscoroutinefunction,
    "coroutine-to-async-def": coroutine_to_async_def,
    "reraise-cancelled": reraise_cancelled,
    "await-coroutine": await_coroutine,
}
# Every fix of this one is unsafe, and applied with --unsafe-fixes only.
UNSAFE = {"limit-concurrency"}
