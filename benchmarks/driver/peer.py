"""The peer: RecBole in a Python environment of its own, as a process that is asked step by step."""
import json
import os
import subprocess
import sys

from driver.programs import ROOT, WORK, BenchError, say

SCRIPT = ROOT / "benchmarks" / "peers" / "recbole_model.py"
ENVIRONMENT = ROOT / "build" / "peers"
PACKAGES = ("torch", "recbole")
PEER_MODELS = {"caser": "Caser", "gru4rec": "GRU4Rec", "sasrec": "SASRec"}
# Below this share of its threads' time a peer was waiting for the processor, not computing.
QUIET = 0.9


def python():
    """The interpreter that has RecBole: RECLOOM_PEER_PYTHON, or build/peers, made when missing."""
    given = os.environ.get("RECLOOM_PEER_PYTHON")
    if given:
        return given
    interpreter = ENVIRONMENT / "bin" / "python"
    ready = ENVIRONMENT / "ready"
    if not ready.exists():
        say(f"installing {' and '.join(PACKAGES)} into {ENVIRONMENT.relative_to(ROOT)} (about 6 GB)")
        log = ENVIRONMENT.with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w", encoding="utf-8") as output:
            for command in (
                [sys.executable, "-m", "venv", str(ENVIRONMENT)],
                [str(interpreter), "-m", "pip", "install", *PACKAGES],
            ):
                if subprocess.run(command, stdout=output, stderr=output, check=False).returncode:
                    raise BenchError(f"the peer could not be installed, see {log}")
        ready.touch()
    return str(interpreter)


class Peer:
    """One RecBole process with one data set, model and history length. A context manager."""

    def __init__(self, log, model, length, threads):
        self.length, self.threads = length, threads
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self._errors = open(WORK / "peer.log", "w", encoding="utf-8")
        self._process = subprocess.Popen(
            [python(), str(SCRIPT), str(log), "--model", PEER_MODELS[model]]
            + ["--length", str(length), "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
        )
        self.facts = self._answer()
        self.peak_memory = 0

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def ask(self, *words):
        print(*words, file=self._process.stdin, flush=True)
        return self._answer()

    def set_threads(self, threads):
        self.ask("threads", threads)
        self.threads = threads

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"the peer ended early, see {self._errors.name}")
        found = json.loads(line)
        self.peak_memory = found["peak_memory"]
        return found


def is_spoiled(cpu, wall, threads):
    """PyTorch's threads wait for each other in a loop: beside other load a peer looks many times
    slower than it is, and its processor time no longer fits its threads."""
    return cpu < QUIET * threads * wall
