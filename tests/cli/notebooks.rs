//! Notebooks: what is found in their cells, and that all else in the file keeps its bytes.

use crate::project::{Project, SLEEPS};

/// A notebook as Jupyter writes it, with these cells: the type, and the lines.
pub fn notebook(cells: &[(&str, &str)]) -> String {
    let cell = |(kind, text): &(&str, &str)| {
        let lines: Vec<String> = text
            .split_inclusive('\n')
            .map(|line| format!("    {line:?}"))
            .collect();
        let outputs = if *kind == "code" {
            "   \"execution_count\": 7,\n   \"outputs\": [{\"name\": \"stdout\", \"output_type\": \"stream\", \"text\": [\"\\u00e9\"]}],\n"
        } else {
            ""
        };
        format!(
            "  {{\n   \"cell_type\": \"{kind}\",\n{outputs}   \"metadata\": {{}},\n   \"source\": [\n{}\n   ]\n  }}",
            lines.join(",\n")
        )
    };
    let cells: Vec<String> = cells.iter().map(cell).collect();
    format!(
        "{{\n \"cells\": [\n{}\n ],\n \"metadata\": {{\"z\": 1.0, \"a\": null}},\n \"nbformat\": 4,\n \"nbformat_minor\": 4\n}}\n",
        cells.join(",\n")
    )
}

pub const MARKDOWN: (&str, &str) = ("markdown", "# asyncio.run(main())");
pub const IMPORT: (&str, &str) = ("code", "import asyncio\nimport time\n\nprint(time.time())");
pub const MAIN: (&str, &str) = (
    "code",
    "async def main():\n    time.sleep(1)  # é \"a\\b\"\n    return 'é'",
);
pub const RUN: (&str, &str) = ("code", "asyncio.run(main())");

fn of(cells: &[(&str, &str)]) -> Project {
    Project::new([("a.ipynb", notebook(cells).as_str())])
}

/// What `--fix` with these arguments makes of the file, which `--diff` shows as well.
#[track_caller]
fn fixed(project: &Project, arguments: &[&str], status: i32) -> String {
    let before = project.bytes("a.ipynb");
    let diff = [&["--diff"], arguments].concat();
    let (_, patch) = project.pipe(diff, b"");
    let ran = project.run([&["--fix"], arguments].concat());
    assert_eq!(ran.status, status, "{}", ran.stderr);
    let after = project.read("a.ipynb");
    project.write("a.ipynb", before);
    if !patch.is_empty() {
        project.tool("git", &["apply"], &patch);
    }
    assert_eq!(project.read("a.ipynb"), after);
    compile_cells(project);
    after
}

/// Compiles each cell as IPython does.
fn compile_cells(project: &Project) {
    let program = "\
import ast, json
for cell in json.load(open('a.ipynb', encoding='utf-8'))['cells']:
    text = ''.join(cell['source'])
    if cell['cell_type'] == 'code' and not text.startswith(('%', '!')):
        compile(text, 'cell', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
";
    let python = std::env::var("ASYNCFIX_PYTHON").unwrap_or_else(|_| "python3".to_string());
    project.tool(&python, &["-c", program], b"");
}

/// What is listed, one a line.
fn listed(project: &Project, arguments: &[&str]) -> String {
    let format = ["--show-withheld", "--output-format", "concise"];
    project.run([&format[..], arguments].concat()).stdout
}

#[test]
fn what_is_no_notebook_is_said() {
    let project = Project::new([
        ("a.ipynb", "{"),
        (
            "b.ipynb",
            "{\"nbformat\": 3, \"nbformat_minor\": 0, \"metadata\": {}, \"cells\": []}",
        ),
        (
            "c.ipynb",
            "{\"nbformat\": 4, \"nbformat_minor\": 4, \"metadata\": {\"language_info\": {\"name\": \"julia\"}}, \"cells\": []}",
        ),
        (".ipynb_checkpoints/d.ipynb", "{"),
    ]);
    let ran = project.run(["-v"]);
    assert_eq!(ran.status, 1);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(
        lines[0].starts_with("a.ipynb:1: cannot be read as a notebook: it is not valid JSON: ")
    );
    assert!(lines[1].starts_with("b.ipynb: cannot be read as a notebook: it has format 3"));
    assert_eq!(lines[2], "c.ipynb: skipped: its language is not Python");
    assert_eq!(
        lines[3],
        "No findings in 3 files. 2 files could not be analysed."
    );
}

#[test]
fn a_top_level_await_is_none_of_our_business() {
    let project = of(&[IMPORT, ("code", "await asyncio.sleep(1)\ntime.sleep(1)")]);
    assert_eq!(listed(&project, &["--all"]), "");
}

#[test]
fn asyncio_run_in_a_cell_is_an_error_and_is_awaited() {
    for call in [
        "asyncio.run(main())",
        "asyncio.get_event_loop().run_until_complete(main())",
        "loop = asyncio.get_event_loop()\nloop.run_until_complete(main())",
    ] {
        let project = of(&[MARKDOWN, IMPORT, MAIN, ("code", call)]);
        let lines = listed(&project, &["--safe-only"]);
        assert!(lines.contains("a.ipynb:cell 4:"), "{lines}");
        assert!(lines.contains("error: await-nested-run: "), "{lines}");
        let after = fixed(&project, &[], 0);
        assert!(after.contains("\"await main()\""), "{after}");
        assert!(!after.contains("run_until_complete"), "{after}");
    }
    // It works, though not as it looks.
    let patch = ("code", "import nest_asyncio\nnest_asyncio.apply()");
    let lines = listed(&of(&[IMPORT, MAIN, patch, RUN]), &[]);
    assert!(!lines.contains("error: "), "{lines}");
    assert!(lines.contains("[unsafe]"), "{lines}");
}

#[test]
fn no_loop_is_started_in_a_notebook() {
    let text = "def run():\n    loop = asyncio.new_event_loop()\n    loop.run_until_complete(main())\n    loop.close()";
    let project = of(&[IMPORT, MAIN, ("code", text), ("code", "run()")]);
    let after = fixed(&project, &[], 1);
    assert!(!after.contains("asyncio.run("), "{after}");
    let lines = listed(&project, &[]);
    assert!(
        lines.contains("the function `run` is called by the notebook"),
        "{lines}"
    );
}

#[test]
fn what_a_magic_runs_is_withheld() {
    let cell = ("code", "%%time\nasyncio.run(main())");
    let lines = listed(&of(&[IMPORT, MAIN, cell]), &["--await-nested-run"]);
    assert!(lines.contains("`%%time` may run the cell"), "{lines}");
}

#[test]
fn a_gather_at_the_top_level_is_withheld() {
    let cell = ("code", "await asyncio.gather(main(), main())");
    let project = of(&[IMPORT, MAIN, cell]);
    let lines = listed(&project, &["--gather-to-taskgroup"]);
    assert!(
        lines.contains("the top level of a notebook's cell"),
        "{lines}"
    );
    let text = "async def both():\n    await asyncio.gather(main(), main())\n\nawait both()";
    let project = of(&[IMPORT, MAIN, ("code", text)]);
    let after = fixed(&project, &["--gather-to-taskgroup"], 0);
    assert!(after.contains("TaskGroup"), "{after}");
}

#[test]
fn the_bytes_outside_of_a_changed_line_stay() {
    let cells = [MARKDOWN, IMPORT, MAIN, ("raw", "time.sleep(1)"), RUN];
    let before = notebook(&cells);
    for (from, to) in [
        (" ", " "),
        ("\n ", "\n\t"),
        ("\n", "\r\n"),
        ("é", "\\u00e9"),
        ("\n}\n", "\n}"),
        ("{", "{ "),
    ] {
        let before = before.replace(from, to);
        let project = Project::new([("a.ipynb", before.as_str())]);
        let after = before
            .replace("time.sleep(1)  #", "await asyncio.sleep(1)  #")
            .replace(" \"asyncio.run(main())\"", " \"await main()\"");
        assert_eq!(fixed(&project, &[], 0), after, "{from:?}");
    }
}

#[test]
fn a_cell_may_be_one_string_and_the_file_one_line() {
    let before = "{\"cells\":[{\"cell_type\":\"code\",\"execution_count\":null,\"metadata\":{},\"outputs\":[],\"source\":\"import asyncio, time\\nasync def f():\\n    time.sleep(1)\\nprint(time)\"}],\"metadata\":{},\"nbformat\":4,\"nbformat_minor\":5}";
    let project = Project::new([("a.ipynb", before)]);
    assert_eq!(
        fixed(&project, &[], 0),
        before.replace("time.sleep", "await asyncio.sleep")
    );
}

#[test]
fn an_import_goes_where_imports_stand() {
    let text = "async def f():\n    sleep(1)\n    print(sleep)";
    let imports = ("code", "%load_ext autoreload\nfrom time import sleep");
    let project = of(&[("code", "print(1)"), imports, ("code", text)]);
    let after = fixed(&project, &[], 0);
    assert!(
        after.contains("    \"%load_ext autoreload\\n\",\n    \"import asyncio\\n\",\n    \"from time import sleep\"\n"),
        "{after}"
    );
    // Which cell runs first nobody knows.
    let project = of(&[("code", text), imports]);
    let lines = listed(&project, &[]);
    assert!(lines.contains("would stand in a later cell"), "{lines}");
}

#[test]
fn an_import_that_a_magic_may_use_stays() {
    let main = (
        "code",
        "import asyncio\nimport time\n\nasync def f():\n    time.sleep(1)",
    );
    let after = fixed(&of(&[main]), &[], 0);
    assert!(!after.contains("import time"), "{after}");
    for other in ["%timeit time.sleep(1)", "%%cython\ntime.sleep(1)"] {
        let after = fixed(&of(&[main, ("code", other)]), &[], 0);
        assert!(after.contains("import time"), "{after}");
    }
    // So does one that a person is about to repair.
    let broken = ("code", "x = 1\ntime.sleep(1");
    let project = of(&[main, broken]);
    assert_eq!(project.run(["--fix"]).status, 1);
    let after = project.read("a.ipynb");
    assert!(after.contains("await asyncio.sleep"), "{after}");
    assert!(after.contains("import time"), "{after}");
    // A cell may be left without a line.
    let cells = [("code", "import time"), ("code", "import asyncio"), MAIN];
    let after = fixed(&of(&cells), &[], 0);
    assert!(after.contains("\"source\": []"), "{after}");
}

#[test]
fn a_cell_that_cannot_be_parsed_is_named_and_the_others_are_fixed() {
    let broken = ("code", "x = 1\ntime.sleep(1");
    let project = of(&[IMPORT, broken, MAIN]);
    let ran = project.run(["--fix"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .starts_with("a.ipynb:cell 2:2:13: cannot be parsed: "),
        "{}",
        ran.stderr
    );
    assert!(project.read("a.ipynb").contains("await asyncio.sleep(1)"));
}

#[test]
fn findings_name_the_cell_and_its_row() {
    let project = of(&[MARKDOWN, IMPORT, MAIN]);
    for (format, place) in [
        ("full", "--> a.ipynb:cell 3:2:5"),
        ("concise", "a.ipynb:cell 3:2:5: await-sleep: "),
        ("grouped", "  cell 3:2:5: await-sleep: "),
        ("github", "::cell 3:2:5: "),
        ("gitlab", "cell 3:2:5: "),
        (
            "json-lines",
            "\"cell\":3,\"location\":{\"row\":2,\"column\":5}",
        ),
    ] {
        let ran = project.run(["--output-format", format]);
        assert!(ran.stdout.contains(place), "{format}: {}", ran.stdout);
    }
    project.write("b.py", SLEEPS);
    let ran = project.run(["--output-format", "json-lines", "b.py"]);
    assert!(ran.stdout.contains("\"cell\":null"), "{}", ran.stdout);
}

#[test]
fn comments_silence_in_cells_and_are_written_there() {
    let project = of(&[IMPORT, MAIN]);
    assert_eq!(project.run(["--add-ignores=slow"]).status, 0);
    let after = project.read("a.ipynb");
    assert!(after.contains("  # asyncfix: ignore[await-sleep] slow\\n\""));
    assert_eq!(project.run([]).status, 0);
}

#[test]
fn a_notebook_comes_through_a_pipe() {
    let before = notebook(&[IMPORT, MAIN]);
    let arguments = ["--fix", "--stdin-filename", "a.ipynb", "-"];
    let (ran, stdout) = Project::new([]).pipe(arguments, before.as_bytes());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let after = before.replace("time.sleep(1)", "await asyncio.sleep(1)");
    assert_eq!(String::from_utf8(stdout).unwrap(), after);
}

#[test]
fn types_are_known_in_cells() {
    let client = "class Client:\n    async def fetch(self):\n        pass\n";
    let project = of(&[(
        "code",
        "import asyncio\nfrom client import Client\n\nasync def load(client: Client):\n    await asyncio.gather(client.fetch(), client.fetch())",
    )]);
    project.write("client.py", client);
    let after = fixed(&project, &[], 0);
    assert!(after.contains("TaskGroup"), "{after}");
}
