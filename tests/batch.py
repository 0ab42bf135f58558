"""Tests of `asyncfix.fix_batch`, by the extension that `cargo build --workspace --all-targets` made; needs pyarrow.

    python tests/batch.py --library target/debug/libasyncfix_batch.so --bin target/debug/asyncfix
"""

import argparse
import ast
import inspect
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "crates/batch/python/asyncfix"

SLEEPS = "import time\n\n\nasync def f():\n    time.sleep(1)  # wait\n"
WAITS = "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)  # wait\n"


def fix_one(source, path="a.py", **options):
    """What becomes of one source: the row that comes out."""
    kind = pa.binary() if isinstance(source, bytes) else pa.string()
    batch = pa.record_batch({"path": pa.array([path], pa.string()), "source": pa.array([source], kind)})
    return asyncfix.fix_batch(batch, **options).to_pylist()[0]


class Errors(unittest.TestCase):
    def test_what_does_not_parse_is_an_error_of_its_row_alone(self):
        table = pa.table({"path": ["a.py", "b.py", "c.py"], "source": [SLEEPS, "def f(:\n", SLEEPS]})
        rows = asyncfix.fix_batch(table).to_pylist()
        self.assertEqual([row["source"] for row in rows], [WAITS, "def f(:\n", WAITS])
        self.assertIn("1:7: cannot be parsed", rows[1]["error"])
        self.assertEqual([row["error"] for row in rows[::2]], [None, None])

    def test_what_holds_no_word_of_a_codemod_is_parsed_too(self):
        self.assertIn("cannot be parsed", fix_one("x = = 1\n")["error"])

    def test_bytes_that_are_no_text_are_an_error_of_their_row(self):
        for source, said in [
            (SLEEPS.encode() + b"# \xff\n", "UTF-8"),
            (b"# coding: no-such\n" + SLEEPS.encode(), "no-such"),
            (SLEEPS.encode() + b"\0", "NUL"),
        ]:
            row = fix_one(source)
            self.assertIn(said, row["error"])
            self.assertEqual(row["source"], source)
            self.assertFalse(row["changed"])

    def test_a_null_is_an_error_of_its_row_and_stays(self):
        row = fix_one(None)
        self.assertIn("null", row["error"])
        self.assertIsNone(row["source"])

    def test_code_nested_too_deep_is_an_error_and_no_crash(self):
        row = fix_one(SLEEPS + "x = " + "[" * 100_000 + "]" * 100_000 + "\n")
        self.assertIn("nested", row["error"])

    def test_wrong_options_name_what_would_be_right(self):
        for options, said in [
            ({"select": "await-slep"}, "await-sleep"),
            ({"target_version": "py99"}, "py311"),
            ({"safe_only": True, "unsafe_fixes": True}, "--safe-only"),
            ({"config": "linelength = 100"}, "line-length"),
            ({"source_column": "code"}, "path, source"),
        ]:
            with self.assertRaisesRegex(ValueError, said):
                fix_one(SLEEPS, **options)

    def test_columns_of_other_types_are_refused(self):
        with self.assertRaisesRegex(ValueError, "Int64"):
            asyncfix.fix_batch(pa.table({"path": ["a.py"], "source": [1]}))
        with self.assertRaisesRegex(ValueError, "Int64"):
            asyncfix.fix_batch(pa.table({"path": [1], "source": [SLEEPS]}))
        with self.assertRaisesRegex(ValueError, "two columns"):
            asyncfix.fix_batch(pa.table({"path": ["a.py"], "error": [SLEEPS]}), source_column="error")
        with self.assertRaises(Exception):
            asyncfix.fix_batch([SLEEPS])

    def test_nothing_beside_the_text_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.py"
            (path.parent / ".asyncfix.toml").write_text("ignore = ['await-sleep']\n")
            (path.parent / "pyproject.toml").write_text("[project]\nrequires-python = '>=3.13'\n")
            self.assertEqual(fix_one(SLEEPS, str(path))["source"], WAITS)


class Results(unittest.TestCase):
    def test_a_row_says_what_was_found_and_done(self):
        source = SLEEPS + "\n\nasync def g(path):\n    open(path).read()\n"
        row = fix_one(source, select=["await-sleep", "blocking-to-thread"], target_version="py37")
        self.assertEqual((row["found"], row["fixed"], row["withheld"]), (2, 1, 1))
        first, second = row["findings"]
        self.assertEqual(first["codemod"], "await-sleep")
        self.assertEqual((first["row"], first["column"], first["end_row"], first["end_column"]), (5, 5, 5, 18))
        self.assertEqual((first["applicability"], first["withheld"]), ("intended", None))
        self.assertIsNone(second["applicability"])
        self.assertTrue(second["withheld"])

    def test_bytes_keep_encoding_byte_order_mark_and_line_endings(self):
        windows = SLEEPS.replace("\n", "\r\n"), WAITS.replace("\n", "\r\n")
        latin = "# -*- coding: latin-1 -*-\n# é\n"
        for before, after in [
            (windows[0].encode(), windows[1].encode()),
            (b"\xef\xbb\xbf" + SLEEPS.encode(), b"\xef\xbb\xbf" + WAITS.encode()),
            ((latin + SLEEPS).encode("latin-1"), (latin + WAITS).encode("latin-1")),
        ]:
            self.assertEqual(fix_one(before)["source"], after)

    def test_strings_keep_byte_order_mark_and_line_endings_and_may_name_an_encoding(self):
        latin = "# -*- coding: latin-1 -*-\n# é\n"
        for before, after in [
            (SLEEPS.replace("\n", "\r\n"), WAITS.replace("\n", "\r\n")),
            ("\ufeff" + SLEEPS, "\ufeff" + WAITS),
            (latin + SLEEPS, latin + WAITS),
        ]:
            self.assertEqual(fix_one(before)["source"], after)

    def test_every_type_of_strings_and_bytes_comes_back_as_it_was(self):
        for kind in [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()]:
            table = pa.table({"source": pa.array([SLEEPS, None], pa.string()).cast(pa.binary()).cast(kind)})
            fixed = asyncfix.fix_batch(table, path_column=None)
            self.assertEqual(fixed.schema.field("source").type, kind)
            value = fixed["source"][0].as_py()
            self.assertEqual(value if isinstance(value, str) else value.decode(), WAITS)
            self.assertNotIn("path", fixed.column_names)

    def test_a_slice_is_no_more_than_a_slice(self):
        table = pa.table({"path": ["a.py", "b.py", "c.py"], "source": ["x\n", SLEEPS, "y\n"]})
        fixed = asyncfix.fix_batch(table.slice(1, 1))
        self.assertEqual(fixed["source"].to_pylist(), [WAITS])
        self.assertEqual(asyncfix.fix_batch(table.slice(3)).num_rows, 0)
        # Of several chunks each is one of the result.
        chunks = pa.concat_tables([table, table])
        self.assertEqual(asyncfix.fix_batch(chunks, threads=2)["source"].to_pylist(), ["x\n", WAITS, "y\n"] * 2)

    def test_a_reader_is_taken_too(self):
        table = pa.table({"path": ["a.py"], "source": [SLEEPS]})
        self.assertEqual(asyncfix.fix_batch(table.to_reader())["source"].to_pylist(), [WAITS])

    def test_a_package_keeps_its_imports_and_a_notebook_its_json(self):
        self.assertIn("import time\n", fix_one(SLEEPS, "pkg/__init__.py")["source"])
        cells = '[{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [],\n "source": ["%s"]}]'
        json = '{"cells": %s, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
        before = json % (cells % 'import time\\n", "async def f():\\n", "    time.sleep(1)')
        row = fix_one(before, "a.ipynb")
        self.assertIn('"    await asyncio.sleep(1)"', row["source"])
        self.assertEqual(row["findings"][0]["cell"], 1)

    def test_what_calls_the_function_in_the_same_text_counts(self):
        source = (
            "import asyncio\n\n\nasync def work():\n    await asyncio.gather(one(), two())\n\n\n"
            "async def one(): ...\nasync def two(): ...\n\n\n"
            "async def main():\n    try:\n        await work()\n    except ValueError:\n        pass\n"
        )
        row = fix_one(source)
        self.assertEqual((row["found"], row["withheld"], row["changed"]), (1, 1, False))

    def test_other_threads_run_meanwhile(self):
        table = pa.table({"path": ["a.py"] * 300, "source": [SLEEPS * 20] * 300})
        done = threading.Event()
        counted = 0

        def work():
            asyncfix.fix_batch(table)
            done.set()

        thread = threading.Thread(target=work)
        thread.start()
        while not done.is_set():
            counted += 1
            time.sleep(0.001)
        thread.join()
        self.assertGreater(counted, 10)


class Command(unittest.TestCase):
    """What the command makes of a file."""

    SELECTIONS = [([], {}), (["--all", "--unsafe-fixes"], {"select": "all", "unsafe_fixes": True})]

    def test_the_command_makes_the_same_of_each_file(self):
        sources = {path.relative_to(ROOT): path.read_bytes() for path in sorted(ROOT.glob("tests/programs*/**/*.py"))}
        pages = sorted(ROOT.glob("codemods/*/README.md"))
        for page in pages[::6]:
            for number, block in enumerate(page.read_text("utf-8").split("```python\n")[1:]):
                name = pathlib.Path(page.parent.name) / f"block_{number}.py"
                sources[name] = block.split("```")[0].encode()
        self.assertGreater(len(sources), 30)
        table = pa.table({"path": [str(path) for path in sources], "source": pa.array(sources.values(), pa.binary())})
        changed = 0
        for flags, options in self.SELECTIONS:
            rows = asyncfix.fix_batch(table, **options).to_pylist()
            for row in rows:
                with tempfile.TemporaryDirectory() as folder:
                    # At its whole path: codemods tell tests from programs by their folders.
                    path = pathlib.Path(folder) / row["path"]
                    path.parent.mkdir(parents=True)
                    path.write_bytes(sources[pathlib.Path(row["path"])])
                    words = [BINARY, "--isolated", "--no-types", "--fix", "-q", *flags, str(path)]
                    ran = subprocess.run(words, capture_output=True, check=False)
                    self.assertEqual(row["source"], path.read_bytes(), row["path"])
                    self.assertEqual(row["error"] is not None, b"cannot be" in ran.stderr, row)
                    changed += row["changed"]
        self.assertGreater(changed, 10)


class Stub(unittest.TestCase):
    def test_the_stub_has_the_options_of_the_function(self):
        stub = ast.parse((PACKAGE / "_native.pyi").read_text("utf-8"))
        functions = [node for node in stub.body if isinstance(node, ast.FunctionDef)]
        self.assertEqual(len(functions), 2)
        real = inspect.signature(asyncfix.fix_batch).parameters.values()
        expected = [(it.name, it.default) for it in real if it.kind is it.KEYWORD_ONLY]
        for function in functions:
            defaults = [ast.literal_eval(value) for value in function.args.kw_defaults]
            names = [argument.arg for argument in function.args.kwonlyargs]
            self.assertEqual(list(zip(names, defaults)), expected)

    def test_the_version_is_that_of_the_program(self):
        said = subprocess.run([BINARY, "--version"], capture_output=True, check=True, text=True).stdout
        self.assertEqual(said.split()[1], asyncfix.__version__)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True, type=pathlib.Path)
    parser.add_argument("--bin", required=True)
    arguments, rest = parser.parse_known_args()
    BINARY = str(pathlib.Path(arguments.bin).resolve())
    with tempfile.TemporaryDirectory() as folder:
        # As the wheel has it.
        package = shutil.copytree(PACKAGE, pathlib.Path(folder) / "asyncfix")
        (package / "_native.abi3.so").symlink_to(arguments.library.resolve())
        sys.path.insert(0, folder)
        import asyncfix
        import pyarrow as pa

        unittest.main(argv=[sys.argv[0], *rest])
