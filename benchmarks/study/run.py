#!/usr/bin/env python3
"""Trains what a plan names, one run after the other, and appends a line of JSON for each.

    python3 benchmarks/study/run.py ablation --out build/study
    python3 benchmarks/study/run.py mine.toml --out build/study --only paper --seeds 1 --minutes 60

Finished runs are skipped, so it can be stopped (Ctrl-C) and started again at any time: a run that
was interrupted goes on from its checkpoint. All plans may share one folder. Logs lie under
RECLOOM_DATA_DIR; the program is RECLOOM_BENCH_BUILD/bin/recloom (build/bench), or --recloom.
"""
import argparse
import json
import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from study.plan import PLANS, Plan, PlanError  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130


def say(text):
    print(f"study: {text}", file=sys.stderr, flush=True)


def read_results(file):
    """Lines by key; a line that was cut off by a crash does not count."""
    found = {}
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                one = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[one["key"]] = one
    return found


class Estimate:
    """How long runs will take: as long as the same setting took before, else by the plan's guess,
    corrected by how its guesses were off so far."""

    def __init__(self):
        self.seconds, self.ratios = {}, []

    def learn(self, run, seconds):
        self.seconds.setdefault((run.setting.name, run.log), []).append(seconds)
        self.ratios.append(seconds / (60 * run.minutes))

    def of(self, run):
        before = self.seconds.get((run.setting.name, run.log))
        if before:
            return statistics.mean(before)
        return 60 * run.minutes * (statistics.median(self.ratios) if self.ratios else 1.0)


def shown(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


class Study:
    def __init__(self, plan, options):
        self.plan, self.options = plan, options
        self.out = Path(options.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.results = read_results(self.out / "results.jsonl")
        self.lock, self.stop = threading.Lock(), threading.Event()
        self.processes = set()
        self.failed = set()  # (setting, log): its other seeds are not tried
        self.estimate = Estimate()
        self.begin = time.monotonic()

    def pending(self):
        runs = self.plan.runs(self.options.only, self.options.seeds)
        for run in runs:
            if done := self.results.get(run.key()):
                self.estimate.learn(run, done["seconds"])
        return runs, [run for run in runs if run.key() not in self.results]

    def run_all(self):
        runs, left = self.pending()
        self.waiting = {run.key(): run for run in left}
        say(f"{self.plan.name}: {len(runs) - len(left)} of {len(runs)} runs are done")
        with ThreadPoolExecutor(self.options.jobs) as pool:
            jobs = [pool.submit(self.one, run) for run in left]
            try:
                for job in jobs:
                    job.result()
            except BaseException:
                self.stop.set()
                for process in list(self.processes):
                    process.send_signal(signal.SIGINT)
                raise
        return 1 if self.failed else 0

    def out_of_time(self):
        limit = self.options.minutes
        return bool(limit) and time.monotonic() - self.begin > 60 * limit

    def one(self, run):
        group = (run.setting.name, run.log)
        if self.stop.is_set() or self.out_of_time() or group in self.failed:
            return
        try:
            result = self.train(run)
        except PlanError as error:
            say(f"{run.label()}: {error}")
            self.failed.add(group)
            return
        with self.lock:
            self.append(result)
            self.estimate.learn(run, result["seconds"])
            del self.waiting[run.key()]
            rest = sum(self.estimate.of(each) for each in self.waiting.values())
        metric = result["train"].get("best_valid")
        told = f"valid {metric:.4f}" if metric else "no validation"
        say(
            f"{run.label()}: {told}, {shown(result['seconds'])}; {len(self.waiting)} runs left, "
            f"about {shown(rest / self.options.jobs)}"
        )

    def append(self, result):
        """One write of a whole line, on the disk before the next run begins."""
        with open(self.out / "results.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
            file.flush()
            os.fsync(file.fileno())

    # ---- one run ---------------------------------------------------------------------------------

    def recloom(self, arguments, log):
        """Standard output of the program; its messages go to a file."""
        threads = ["--threads", str(self.options.threads)]
        with open(log, "a", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [str(self.options.recloom), *arguments, *threads],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C reaches it once, from here
            )
            self.processes.add(process)
            out, _ = process.communicate()
            self.processes.discard(process)
        if process.returncode == INTERRUPTED:
            raise KeyboardInterrupt
        if process.returncode:
            lines = log.read_text(encoding="utf-8").strip().splitlines() or ["no message"]
            raise PlanError(f"exit code {process.returncode}: {lines[-1]} (see {log})")
        return out

    def train(self, run):
        folder = self.out / "runs" / run.key()
        log = self.out / "runs" / f"{run.key()}.log"
        folder.parent.mkdir(exist_ok=True)
        arguments = self.plan.arguments(run)
        say(f"{run.label()}: begins, about {shown(self.estimate.of(run))}")
        if (folder / "checkpoint.safetensors").exists():
            out = self.recloom(["train", "--resume", "--run-dir", str(folder), "--json"], log)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            out = self.recloom([*arguments, "--run-dir", str(folder)], log)
        result = self.result(run, json.loads(out), folder)
        for name in self.plan.also(run.setting.protocol):
            result["also"][name] = self.evaluate(run, name, folder, log)
        if not self.options.keep:
            shutil.rmtree(folder)
            log.unlink()
        return result

    def evaluate(self, run, protocol, folder, log):
        arguments = ["evaluate", str(folder), *self.plan.source(run.log), "--json"]
        for text in self.plan.protocols[protocol].get("set", []):
            arguments += ["--set", text]
        return json.loads(self.recloom(arguments, log))["test"]

    def result(self, run, report, folder):
        history = folder / "history.jsonl"  # of whole epochs, those before an interruption too
        lines = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
        epochs = [json.loads(line) for line in lines]
        seconds = sum(epoch["timing"]["seconds"] for epoch in epochs)
        return {
            "key": run.key(),
            "plan": run.plan,
            "setting": run.setting.name,
            "log": run.log,
            "seed": run.seed,
            "model": run.setting.model,
            "preset": run.setting.preset,
            "protocol": run.setting.protocol,
            "set": list(run.settings),
            "train": report["train"],
            "valid": report.get("valid") or {},
            "test": report.get("test") or {},
            "also": {},
            "epochs": [
                {name: epoch[name] for name in ("epoch", "loss", "valid") if name in epoch}
                for epoch in epochs
            ],
            "seconds": seconds or report["timing"]["train_seconds"],
            "threads": report["timing"]["threads"],
            "recloom_version": report["recloom_version"],
            "protocol_hash": report["protocol_hash"],
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }


def plan_file(name):
    """A plan by its path, or one of benchmarks/study/plans by its name."""
    shipped = PLANS / f"{name}.toml"
    return shipped if shipped.exists() else Path(name)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    build = Path(os.environ.get("RECLOOM_BENCH_BUILD", ROOT / "build" / "bench"))
    parser.add_argument("plan", help="a file, or one of benchmarks/study/plans by name")
    parser.add_argument("--out", required=True, help="folder for results.jsonl and run folders")
    parser.add_argument("--only", nargs="+", default=[], help="settings, groups or logs")
    parser.add_argument("--seeds", help="in place of the plan's: 1,2,3")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (1)")
    parser.add_argument("--threads", type=int, default=0, help="of a run; 0: all that there are")
    parser.add_argument("--minutes", type=float, default=0, help="begin no run after so many")
    parser.add_argument("--keep", action="store_true", help="keep models and run folders")
    parser.add_argument("--list", action="store_true", help="print the commands, run nothing")
    parser.add_argument("--recloom", default=build / "bin" / "recloom", help="the program")
    options = parser.parse_args()
    options.seeds = [int(seed) for seed in options.seeds.split(",")] if options.seeds else None
    return options


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *ignored: signal.raise_signal(signal.SIGINT))
    study = Study(Plan(plan_file(options.plan)), options)
    if not options.list:
        return study.run_all()
    for run in study.pending()[1]:
        command = shlex.join(["recloom", *study.plan.arguments(run)])
        print(f"# {run.label()}: about {shown(study.estimate.of(run))}\n{command}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PlanError as error:
        sys.exit(f"study: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
