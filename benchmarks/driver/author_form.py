"""Caser in its authors' form, by their own files, beside the same in PyTorch: whole epochs."""
import json
import os
import shutil
from pathlib import Path

from driver import programs
from driver.peer import python
from driver.programs import ROOT, BenchError, recloom, run_program

SCRIPT = ROOT / "benchmarks" / "peers" / "caser_author.py"


def find_files():
    """The authors' training and test file of ml-1m, or None where the operator has not both."""
    folder = Path(os.environ.get("RECLOOM_DATA_DIR", "")) / "ml-1m-caser"
    found = []
    for name in ("train.txt", "test.txt"):
        here = [file for file in (folder / name, folder / f"{name}.gz") if file.exists()]
        if not here:
            return None
        found.append(programs.unpacked(here[0]))
    return found


def as_steps(rows, wall, cpu):
    """What bench_end_to_end and the peers answer, with epochs for steps."""
    return {"step_rows": [rows] * len(wall), "step_seconds": wall, "step_cpu_seconds": cpu}


def train(files, threads, epochs):
    """recloom's epochs. The program's processor time is taken to be spent evenly."""
    folder = programs.WORK / "author-form"
    shutil.rmtree(folder, ignore_errors=True)
    arguments = ["train", str(files[0]), "--recipe", "caser-pytorch", "--run-dir", str(folder)]
    arguments += ["--model", "caser", "--preset", "author", "--threads", str(threads), "--json"]
    for setting in (
        "split.mode=given",
        f"split.test_file={files[1]}",
        f"train.epochs={epochs}",
        "train.eval_every=0",
    ):
        arguments += ["--set", setting]
    out, usage = recloom(*arguments)
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    wall = [json.loads(line)["timing"]["seconds"] for line in lines]
    shutil.rmtree(folder)
    rows = json.loads(out)["train"]["rows"] // len(wall)
    return as_steps(rows, wall, [each * usage["cpu"] / usage["wall"] for each in wall])


class AuthorPeer:
    """Asked as Peer is; a process for each question."""

    def __init__(self, files, form, threads):
        self.files, self.form, self.threads = files, form, threads

    def set_threads(self, threads):
        self.threads = threads

    def ask(self, command, windows):
        """windows: 0 for a whole epoch."""
        if command != "train":
            raise BenchError(f"the authors' form is not asked to {command}")
        arguments = [str(file) for file in self.files] + ["--form", self.form, "--no-evaluate"]
        arguments += ["--threads", str(self.threads), "--epochs", "1", "--windows", str(windows)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads)}
        out, _ = run_program([python(), str(SCRIPT), *arguments], env=environment)
        found = json.loads(out)
        return as_steps(found["rows"], found["epoch_seconds"], found["epoch_cpu_seconds"])
