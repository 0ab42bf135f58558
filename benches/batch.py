"""Runs `asyncfix.fix_batch` over a parquet file of sources, by itself and in engines, beside the command.

    python benches/batch.py make TREE --files 20000 --folder WORK
    python benches/batch.py run --folder WORK --bin target/release/asyncfix --engines batch ray dask spark

`make` takes files of TREE, each of which gets a folder and a project of its own, so that the command sees no other
file beside it. `run` times the command and each engine over the same files, and compares every byte of what they give.
"""

import argparse
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq

#: Rows of a row group, and of a batch.
ROWS = 500


def make(arguments):
    paths = sorted(path for path in arguments.tree.rglob("*.py") if path.is_file() and not path.is_symlink())
    random.Random(0).shuffle(paths)
    folder = arguments.folder
    rows = {"path": [], "source": []}
    for number, path in enumerate(paths[: arguments.files]):
        home = folder / "files" / f"{number // 1000:03}" / f"{number:06}"
        home.mkdir(parents=True)
        # It ends the project: what is beside it belongs to others.
        (home / "setup.cfg").touch()
        shutil.copyfile(path, home / path.name)
        rows["path"].append(str((home / path.name).relative_to(folder / "files")))
        rows["source"].append(path.read_bytes())
    table = pa.table({"path": rows["path"], "source": pa.array(rows["source"], pa.binary())})
    pq.write_table(table, folder / "sources.parquet", row_group_size=ROWS)
    size = sum(map(len, rows["source"]))
    print(f"{len(rows['path'])} files of {size / 1e6:.0f} MB in {folder}")


def fix(batch):
    """What each engine does with a batch of the table."""
    import asyncfix

    return asyncfix.fix_batch(batch, target_version="py311")


def by_batch(path, workers):
    """Without an engine: one process, and threads."""
    import asyncfix

    table = pq.read_table(path)
    return asyncfix.fix_batch(table, target_version="py311", threads=workers)


def by_ray(path, workers):
    import ray

    ray.init(num_cpus=workers, include_dashboard=False, logging_level="error", log_to_driver=False)
    data = ray.data.read_parquet(str(path), override_num_blocks=4 * workers)
    fixed = data.map_batches(fix, batch_format="pyarrow", batch_size=ROWS, zero_copy_batch=True)
    start = time.perf_counter()
    tables = ray.get(fixed.to_arrow_refs())
    taken = time.perf_counter() - start
    ray.shutdown()
    return pa.concat_tables(tables), taken


def fix_group(path, group):
    return fix(pq.ParquetFile(path).read_row_group(group))


def by_dask(path, workers):
    import dask
    from dask.distributed import Client, LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        groups = range(pq.ParquetFile(path).num_row_groups)
        tasks = [dask.delayed(fix_group)(str(path), group) for group in groups]
        start = time.perf_counter()
        tables = dask.compute(*tasks)
        taken = time.perf_counter() - start
    return pa.concat_tables(tables), taken


def by_spark(path, workers):
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master(f"local[{workers}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.maxResultSize", "0")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", str(ROWS))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    finding = (
        "codemod string, message string, severity string, applicability string, withheld string, cell int, "
        "row int, column int, end_row int, end_column int"
    )
    columns = (
        "path string, source binary, changed boolean, found int, fixed int, withheld int, "
        f"findings array<struct<{finding}>>, error string"
    )

    def fix_all(batches):
        import asyncfix

        for batch in batches:
            yield asyncfix.fix_batch(batch, target_version="py311")

    start = time.perf_counter()
    fixed = session.read.parquet(str(path)).repartition(4 * workers).mapInArrow(fix_all, columns).toArrow()
    taken = time.perf_counter() - start
    session.stop()
    return fixed, taken


def by_command(binary, folder, threads):
    """What the command makes of the files, by path, and the seconds that it took."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        files = pathlib.Path(scratch) / "files"
        shutil.copytree(folder / "files", files)
        words = [binary, "--isolated", "--no-types", "--fix", "-q", "--target-version", "py311", f"--jobs={threads}", str(files)]
        start = time.perf_counter()
        subprocess.run(words, capture_output=True, check=False)
        taken = time.perf_counter() - start
        made = {str(path.relative_to(files)): path.read_bytes() for path in files.rglob("*.py")}
    return made, taken


def alone(binary, folder, path):
    """What the command makes of one file that is the only one of its run."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch) / pathlib.Path(path).name
        shutil.copyfile(folder / "files" / path, copy)
        words = [binary, "--isolated", "--no-types", "--fix", "-q", "--target-version", "py311", str(copy)]
        subprocess.run(words, capture_output=True, check=False)
        return copy.read_bytes()


def digest(fixed):
    rows = zip(fixed["path"].to_pylist(), fixed["source"].to_pylist(), fixed["error"].to_pylist())
    return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()[:16]


def run(arguments):
    folder = arguments.folder
    path = folder / "sources.parquet"
    count = pq.ParquetFile(path).metadata.num_rows
    made, taken = by_command(arguments.bin, folder, arguments.workers)
    print(f"command: {taken:.1f} s, {count / taken:.0f} files a second, {arguments.workers} threads", flush=True)
    engines = {"batch": by_batch, "ray": by_ray, "dask": by_dask, "spark": by_spark}
    for name in arguments.engines:
        start = time.perf_counter()
        result = engines[name](path, arguments.workers)
        whole = time.perf_counter() - start
        fixed, taken = result if isinstance(result, tuple) else (result, whole)
        given = dict(zip(fixed["path"].to_pylist(), fixed["source"].to_pylist()))
        differing = [path for path, source in given.items() if source != made[path]]
        # In one run over all files others may name a module's imports, so that those stay: asked again alone.
        wrong = [path for path in differing if given[path] != alone(arguments.bin, folder, path)]
        changed = sum(fixed["changed"].to_pylist())
        errors = fixed.num_rows - fixed["error"].null_count
        print(
            f"{name}: {taken:.1f} s, {count / taken:.0f} files a second ({whole:.1f} s with its start), "
            f"{fixed.num_rows} rows, {changed} changed, {errors} errors, {sum(fixed['found'].to_pylist())} found, "
            f"{sum(fixed['fixed'].to_pylist())} fixed, {sum(fixed['withheld'].to_pylist())} withheld; "
            f"{len(differing)} asked again, {len(wrong)} differ {wrong[:5]}; digest {digest(fixed)}",
            flush=True,
        )
        assert fixed.num_rows == count and not wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make")
    making.add_argument("tree", type=pathlib.Path)
    making.add_argument("--files", type=int, default=20_000)
    making.add_argument("--folder", type=pathlib.Path, required=True)
    making.set_defaults(action=make)
    running = commands.add_parser("run")
    running.add_argument("--folder", type=pathlib.Path, required=True)
    running.add_argument("--bin", required=True)
    running.add_argument("--workers", type=int, default=os.cpu_count())
    running.add_argument("--engines", nargs="*", default=["batch"])
    running.set_defaults(action=run)
    given = parser.parse_args()
    given.action(given)
