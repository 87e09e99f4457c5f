"""Running what was built, and where its data lies."""
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("RECLOOM_BENCH_BUILD", ROOT / "build" / "bench"))
WORK = ROOT / "build" / "bench-data"
# Users and items with fewer than five events are left out.
FIVE_CORE = ('data.user_interval="[5,inf)"', 'data.item_interval="[5,inf)"')


class BenchError(Exception):
    """One line for the person who asked."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def median(values):
    return statistics.median(values) if values else 0.0


def run_program(arguments, **options):
    """Runs a program to its end. Returns its output, and wall, cpu and peak_memory of it."""
    with tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        with subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=errors, text=True, **options
        ) as process:
            out = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        if process.returncode != 0:
            errors.seek(0)
            lines = errors.read().strip().splitlines() or ["no message"]
            raise BenchError(f"{Path(arguments[0]).name} {arguments[1]}: {lines[-1]}")
    return out, {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_memory": 1024 * usage.ru_maxrss,
    }


def recloom(*arguments):
    return run_program([str(BUILD / "bin" / "recloom"), *arguments])


def end_to_end(command, settings=(), **values):
    """Runs a command of bench_end_to_end and returns what it found."""
    arguments = [str(BUILD / "bin" / "bench_end_to_end"), command]
    for name, value in values.items():
        arguments += [f"--{name}", str(value)]
    for setting in settings:
        arguments += ["--set", setting]
    out, _ = run_program(arguments)
    return json.loads(out)


def unpacked(log):
    """The log as plain text: a compressed one is unpacked once."""
    if log.suffix != ".gz":
        return log
    target = WORK / log.stem
    if not target.exists() or target.stat().st_mtime < log.stat().st_mtime:
        WORK.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".part")
        with gzip.open(log, "rb") as packed, open(partial, "wb") as plain:
            shutil.copyfileobj(packed, plain)
        partial.replace(target)
    return target


def find_log():
    """ml-1m where the operator has it, else the shipped log."""
    folder = os.environ.get("RECLOOM_DATA_DIR")
    if folder:
        for name in ("ml-1m/ml-1m.inter", "ml-1m/ml-1m.inter.gz"):
            log = Path(folder) / name
            if log.exists():
                return unpacked(log)
    say("no ml-1m/ml-1m.inter[.gz] in RECLOOM_DATA_DIR: measuring on online-retail")
    return unpacked(ROOT / "datasets" / "online-retail" / "online-retail.inter.gz")


def synthetic_log(name, n_bytes, **sizes):
    target = WORK / name
    if not target.exists() or abs(target.stat().st_size - n_bytes) > 100:
        WORK.mkdir(parents=True, exist_ok=True)
        end_to_end("synthetic-log", file=target, bytes=n_bytes, **sizes)
    return target


def machine(threads):
    """What this machine can do now."""
    found = end_to_end("peak", threads=threads)
    cpu = "unknown CPU"
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {**found, "cpu": cpu, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
