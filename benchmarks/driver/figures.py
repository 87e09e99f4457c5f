"""Measures the figures of the table, the peer's between our own runs."""
import contextlib
import shutil

from driver import author_form, cost_model, programs, scenarios
from driver.peer import Peer, is_spoiled
from driver.programs import FIVE_CORE, BenchError, end_to_end, median, recloom, say


class Steps:
    """What several runs of one form added up to: rows (or users), wall and processor seconds."""

    def __init__(self):
        self.rows, self.wall, self.cpu = [], [], []

    def add(self, rows, wall, cpu):
        self.rows += rows
        self.wall += wall
        self.cpu += cpu

    def rate(self):
        """The median of rows per second."""
        return median([rows / wall for rows, wall in zip(self.rows, self.wall)])

    def cpu_rate(self):
        """Rows per second of processor time, which other load disturbs least."""
        return median([rows / cpu for rows, cpu in zip(self.rows, self.cpu)])

    def cpu_per_wall(self):
        return sum(self.cpu) / sum(self.wall) if self.wall else 0.0


class Form:
    """One thing measured: by us with all threads, by us with one, by the peer."""

    def __init__(self):
        self.ours, self.single, self.peer = Steps(), Steps(), Steps()

    def figure(self, key, label, unit, threads, operations):
        return {
            "key": key,
            "label": label,
            "unit": unit,
            "value": self.ours.rate(),
            "one_thread": self.single.rate(),
            "threads_ratio": self.ours.rate() / self.single.rate(),
            "operations": operations,
            "busy": self.ours.cpu_per_wall() / threads,
        }


def add_training(steps, found):
    steps.add(found["step_rows"], found["step_seconds"], found["step_cpu_seconds"])


def add_evaluation(steps, found, rows):
    wall = found["evaluation_seconds"]
    steps.add([rows] * len(wall), wall, found["evaluation_cpu_seconds"])


def shape_of(found, length):
    """What the cost model must know of a measured run."""
    return cost_model.Shape(
        length,
        found["items"] + 1,
        found["distinct_items"],
        found["batch_size"],
        run=found["run_rows"],
        positions=found["positions"],
        pairs=found["pairs"],
        pairs_of_last=found["pairs_of_last"],
    )


class Bench:
    def __init__(self, log, threads, repeats, with_peers, quick=False):
        self.log, self.threads, self.repeats = log, threads, repeats
        self.with_peers, self.quick = with_peers, quick
        self.machine = programs.machine(threads)
        self.figures, self.facts, self.peer_facts = [], {}, {}

    def run_all(self):
        for length in sorted({scenario.length for scenario in scenarios.TRAINING}):
            self.training_of([s for s in scenarios.TRAINING if s.length == length])
        for model in dict.fromkeys(scenario.model for scenario in scenarios.MODELS):
            self.training_of([s for s in scenarios.MODELS if s.model == model])
        self.add_author_form()
        self.add_top_k()
        self.add_head()
        self.add_reading()
        self.add_program()
        self.add_peak()

    def add_peak(self):
        """The peak once more, since other load can only lower it, and each figure's share of it."""
        again = programs.machine(self.threads)
        for key in ("flops", "flops_one", "l1_bytes", "memory_bytes"):
            self.machine[key] = max(self.machine[key], again[key])
        for figure in self.figures:
            if "operations" in figure:
                figure["share"] = figure["value"] * figure["operations"] / self.machine["flops"]

    # ---- training and evaluation -----------------------------------------------------------------

    def train(self, scenario, threads, evaluations=3, **values):
        return end_to_end(
            "train",
            settings=(*FIVE_CORE, 'eval.metrics=["hit","ndcg","mrr"]', *scenario.all_settings()),
            data=self.log,
            model=scenario.model,
            threads=threads,
            steps=max(2, scenario.steps // 4) if self.quick else scenario.steps,
            evaluations=evaluations if scenario.evaluates else 0,
            **values,
        )

    def training_of(self, group):
        """Scenarios of one model and length, beside one process of the peer."""
        model, length = group[0].model, group[0].length
        with contextlib.ExitStack() as stack:
            peer = None
            if self.with_peers:
                say(f"the peer loads the log, {model}, L={length}")
                peer = stack.enter_context(Peer(self.log, model, length, self.threads))
                peer.ask("train", 1)
            for scenario in group:
                try:
                    self.scenario(scenario, peer)
                except BenchError as error:
                    say(f"{scenario.name} is left out: {error}")
            if peer and model == scenarios.TRAINING[0].model:
                self.peer_facts = {**peer.facts, "peak_memory": peer.peak_memory}

    def scenario(self, scenario, peer):
        training, evaluation = Form(), Form()
        for repeat in range(self.repeats):
            say(f"training, {scenario.name}: run {repeat + 1} of {self.repeats}")
            found = self.train(scenario, self.threads)
            single = self.train(scenario, 1) if self.threads > 1 else found
            add_training(training.ours, found)
            add_training(training.single, single)
            add_evaluation(evaluation.ours, found, found["test_rows"])
            add_evaluation(evaluation.single, single, found["test_rows"])
            if peer and scenario.peer_steps:
                add_training(training.peer, peer.ask("train", scenario.peer_steps))
            if peer and scenario.evaluates:
                add_evaluation(evaluation.peer, peer.ask("evaluate"), found["test_rows"])
        self.facts = found
        shape = shape_of(found, scenario.length)
        operations = sum(cost_model.training_parts(shape, scenario.model).values())
        figure = training.figure(
            f"training {scenario.name}",
            f"training, {scenario.name}",
            "rows/s",
            self.threads,
            operations,
        )
        self.figures.append(figure)
        self.compare(figure, training, peer, "train", scenario.peer_steps)
        if not scenario.evaluates:
            return
        figure = evaluation.figure(
            f"evaluation L={scenario.length}",
            f"full-ranking evaluation, L={scenario.length}",
            "users/s",
            self.threads,
            cost_model.evaluation_operations(shape, found["test_rows"]),
        )
        self.figures.append(figure)
        self.compare(figure, evaluation, peer, "evaluate", 1)

    def compare(self, figure, form, peer, command, steps):
        if not peer or not form.peer.wall:
            return
        entry = {
            "value": form.peer.rate(),
            "threads": self.threads,
            "cpu_per_wall": form.peer.cpu_per_wall(),
        }
        entry["spoiled"] = is_spoiled(sum(form.peer.cpu), sum(form.peer.wall), self.threads)
        figure["peer"] = entry
        figure["ratio"] = figure["value"] / entry["value"]
        if entry["spoiled"] and self.threads > 1:
            self.compare_one_thread(figure, form, peer, command, steps)

    def compare_one_thread(self, figure, form, peer, command, steps):
        say(f"{figure['label']}: the machine is not quiet, comparing one thread with one")
        alone = Steps()
        peer.set_threads(1)
        if command == "train":
            add_training(alone, peer.ask("train", steps))
        else:
            add_evaluation(alone, peer.ask("evaluate"), form.peer.rows[0])
        peer.set_threads(self.threads)
        figure["peer"]["one_thread_cpu_rate"] = alone.cpu_rate()
        figure["one_thread_cpu_rate"] = form.single.cpu_rate()
        figure["ratio_one_thread"] = form.single.cpu_rate() / alone.cpu_rate()

    def add_author_form(self):
        """An epoch of windows; the peer in its two forms, which are one function."""
        files = author_form.find_files()
        if not files:
            say("no ml-1m-caser/train.txt and test.txt in RECLOOM_DATA_DIR: left out")
            return
        try:
            for form, label in scenarios.AUTHOR_FORMS.items():
                self.author_form(files, form, label)
        except BenchError as error:
            say(f"caser's author form is left out: {error}")

    def author_form(self, files, form, label):
        peer = author_form.AuthorPeer(files, form, self.threads) if self.with_peers else None
        windows, training = scenarios.AUTHOR_PEER_WINDOWS, Form()
        for repeat in range(self.repeats):
            say(f"{label}: run {repeat + 1} of {self.repeats}")
            found = author_form.train(files, self.threads, scenarios.AUTHOR_EPOCHS)
            single = author_form.train(files, 1, 1) if self.threads > 1 else found
            add_training(training.ours, found)
            add_training(training.single, single)
            if peer:
                add_training(training.peer, peer.ask("train", windows))
        operations = cost_model.author_operations(**scenarios.AUTHOR_SHAPE)
        figure = training.figure(label, label, "rows/s", self.threads, operations)
        self.figures.append(figure)
        self.compare(figure, training, peer, "train", windows)
        if peer:
            figure["peer"]["name"] = f"PyTorch, {form}"

    # ---- large catalogues ------------------------------------------------------------------------

    def add_top_k(self):
        say("top-10 of 1,000,000 items")
        sizes = {"items": scenarios.TOP_K_ITEMS, "size": scenarios.EMBEDDING_SIZE, "k": 10}
        rows = 512 if self.quick else 2048
        form = Form()
        for threads, steps in ((self.threads, form.ours), (1, form.single)):
            found = end_to_end("top-k", rows=rows, threads=threads, repeats=self.repeats, **sizes)
            steps.add([rows] * self.repeats, found["seconds"], found["cpu_seconds"])
        self.figures.append(
            form.figure(
                "top-k",
                "top-10 of 1,000,000 items",
                "users/s",
                self.threads,
                found["flops_per_row"],
            )
        )

    def add_head(self):
        say("cross-entropy over 1,000,000 items")
        rows = 256 if self.quick else 2048
        found = end_to_end("head", items=scenarios.HEAD_ITEMS, rows=rows, threads=self.threads)
        operations = 6 * scenarios.HEAD_ITEMS * scenarios.EMBEDDING_SIZE
        rate = rows / found["seconds"]
        busy = found["cpu_seconds"] / found["seconds"] / self.threads
        self.figures.append(
            {
                "key": "head",
                "label": "cross-entropy over 1,000,000 items",
                "unit": "rows/s",
                "value": rate,
                "operations": operations,
                "busy": busy,
            }
        )
        self.add_memory("head memory", "its memory beyond vectors and gradients", found["memory"])

    def add_memory(self, key, label, n_bytes, peer_bytes=None):
        figure = {"key": key, "label": label, "unit": "MiB", "value": n_bytes / (1 << 20)}
        if peer_bytes:
            figure["peer"] = {"value": peer_bytes / (1 << 20), "spoiled": False}
            figure["ratio"] = peer_bytes / n_bytes
        self.figures.append(figure)

    # ---- files and the program -------------------------------------------------------------------

    def add_reading(self):
        say("reading")
        found = end_to_end(
            "read",
            settings=FIVE_CORE,
            data=self.log,
            threads=self.threads,
            repeats=max(3, self.repeats),
        )
        figure = {
            "key": "open",
            "label": f"read, filter and split {self.log.stem}",
            "unit": "s",
            "value": median(found["seconds"]),
        }
        if self.peer_facts:
            wall, cpu = self.peer_facts["open_seconds"], self.peer_facts["open_cpu_seconds"]
            figure["peer"] = {"value": wall, "spoiled": is_spoiled(cpu, wall, threads=1)}
            figure["ratio"] = wall / figure["value"]
        self.figures.append(figure)
        n_bytes = scenarios.SYNTHETIC_BYTES // (8 if self.quick else 1)
        log = programs.synthetic_log(f"synthetic-{n_bytes >> 20}.inter", n_bytes)
        found = end_to_end("read", data=log, threads=self.threads, repeats=self.repeats)
        columns = found["interactions"] * (4 + 4 + 8)  # user, item, time
        self.figures.append(
            {
                "key": "reading",
                "label": f"reading {n_bytes >> 20} MiB of text, a core",
                "unit": "MB/s",
                "value": log.stat().st_size / 1e6 / median(found["seconds"]) / self.threads,
                "busy": median(found["cpu_seconds"]) / median(found["seconds"]) / self.threads,
                "memory_per_columns": found["peak_memory"] / columns,
            }
        )

    def add_program(self):
        """The installed program: memory of training, and the time to a first answer."""
        say("memory of training, start of recommend")
        folder = programs.WORK / "run"
        longest = max(s.length for s in scenarios.TRAINING)
        scenario = [s for s in scenarios.TRAINING if s.length == longest][-1]
        limit = "train.max_steps=4" if self.quick else "train.epochs=1"
        shutil.rmtree(folder, ignore_errors=True)
        arguments = ["train", str(self.log), "--model", "caser", "--run-dir", str(folder)]
        arguments += ["--threads", str(self.threads), "--json"]
        for setting in (*FIVE_CORE, *scenario.all_settings(), limit):
            arguments += ["--set", setting]
        _, usage = recloom(*arguments)
        self.add_memory(
            "memory",
            f"peak memory of recloom train, L={longest}",
            usage["peak_memory"],
            self.peer_facts.get("peak_memory"),
        )
        walls = []
        for _ in range(5 if self.quick else 15):
            _, usage = recloom("recommend", str(folder), "--history", "1 2 3", "--threads", "1")
            walls.append(usage["wall"])
        self.figures.append(
            {
                "key": "start",
                "label": "start of recloom recommend to its answer",
                "unit": "ms",
                "value": 1e3 * median(walls),
            }
        )
        shutil.rmtree(folder, ignore_errors=True)

    # ---- where the time goes ---------------------------------------------------------------------

    def shares(self, scenario):
        """Share of each part of a step, on one thread, with the arithmetic and the rate of each."""
        found = self.train(scenario, 1, evaluations=0, trace=1)
        shape = shape_of(found, scenario.length)
        rows = sum(found["step_rows"])
        seconds = sum(found["phases"].values()) / rows
        return {
            "name": scenario.name,
            "shape": vars(shape),
            "seconds_per_row": seconds,
            "shares": cost_model.shares(found["phases"]),
            "phases": {phase: each / rows for phase, each in found["phases"].items()},
            "operations": cost_model.training_parts(shape),
        }
