"""Plans, statistics and tables of studies, without training anything."""
import json
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from study import report  # noqa: E402
from study.plan import PLANS, Plan, PlanError, merged  # noqa: E402
from study.run import Estimate, read_results  # noqa: E402
from study.seeds import paired, summary, t_quantile  # noqa: E402

PLAN = """
title = "Two rates"
[defaults]
logs = ["large", "small"]
protocol = "next"
seeds = [1, 2, 3]
minutes = 10.0
group = "rates"
[log.large]
data = ["large.inter"]
set = ["data.max_length=5"]
[log.small]
data = ["small.inter"]
scale = 0.1
[protocol.next]
set = ["eval.topk=[10]", "data.max_length=50"]
[[setting]]
name = "slow"
set = ["train.loss=BPR"]
published = { large = { "ndcg@10" = 0.25 } }
[[setting]]
name = "fast"
base = "slow"
minutes = 1.0
set = ["train.loss=CE"]
[[vary]]
base = "fast"
key = "model.params.nv"
values = [2]
[[table]]
name = "rates"
groups = ["rates"]
part = "test"
metrics = ["ndcg@10"]
against = "slow"
[[plot]]
name = "rates"
title = "Rates & <seeds>"
groups = ["rates"]
part = "test"
metric = "ndcg@10"
"""


class WithPlan(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.plan = self.read(PLAN)

    def read(self, text):
        file = self.folder / "rates.toml"
        file.write_text(text, encoding="utf-8")
        return Plan(file)

    def line(self, setting, log, seed, value):
        (run,) = self.plan.runs_of(self.plan.settings[setting], log, [seed])
        train = {"epochs": 7}
        return {
            "key": run.key(),
            "train": train,
            "seconds": 30.0,
            "test": {"ndcg@10": value},
            "also": {},
        }

    def lines(self):
        values = [("slow", 0.10), ("slow", 0.20), ("slow", 0.30), ("fast", 0.20), ("fast", 0.32)]
        seeds = [1, 2, 3, 1, 2]
        found = [self.line(s, "large", seed, v) for (s, v), seed in zip(values, seeds)]
        return {one["key"]: one for one in found}


class Plans(WithPlan):
    def test_settings_go_over_logs_and_logs_over_protocols(self):
        (run,) = self.plan.runs_of(self.plan.settings["fast model.params.nv=2"], "large", [4])
        self.assertEqual(
            run.settings,
            ("eval.topk=[10]", "data.max_length=5", "train.loss=CE", "model.params.nv=2"),
        )

    def test_first_seeds_come_first_and_of_them_the_cheapest(self):
        runs = self.plan.runs()
        self.assertEqual(len(runs), 3 * 2 * 3)
        self.assertEqual([run.seed for run in runs], [1] * 6 + [2] * 6 + [3] * 6)
        self.assertEqual(runs[0].minutes, 0.1)
        self.assertEqual((runs[5].setting.name, runs[5].log), ("slow", "large"))

    def test_only_takes_settings_groups_and_logs(self):
        self.assertEqual(len(self.plan.runs(["small"], [9])), 3)
        self.assertEqual(len(self.plan.runs(["slow"])), 6)
        with self.assertRaisesRegex(PlanError, "--only slw: no setting"):
            self.plan.runs(["slw"])

    def test_a_run_is_known_by_what_it_does(self):
        keys = {run.key() for run in self.plan.runs()}
        renamed = PLAN.replace('"slow"', '"bpr"').replace("minutes = 10.0", "minutes = 3.0")
        self.assertEqual({run.key() for run in self.read(renamed).runs()}, keys)
        for before, after in (("BPR", "BCE"), ("large.inter", "other.inter"), ("=50", "=51")):
            changed = {run.key() for run in self.read(PLAN.replace(before, after)).runs()}
            self.assertNotEqual(changed, keys)

    def test_mistakes_are_told_with_the_file(self):
        for before, after, message in (
            ("minutes = 1.0", "minuets = 1.0", r"rates.toml: \[setting\] has no 'minuets'"),
            ('base = "slow"', 'base = "slwo"', "base 'slwo' is no setting"),
            ('name = "fast"', 'name = "slow"', "two settings are named 'slow'"),
            ('logs = ["large", ', 'logs = ["lrge", ', r"no \[log.lrge\]"),
            ("train.loss=CE", "train.loss", "'train.loss' is not KEY=VALUE"),
            ("seeds = [", "seeds = ", "rates.toml: "),
        ):
            with self.assertRaisesRegex(PlanError, message):
                self.read(PLAN.replace(before, after))

    def test_of_one_key_the_last_counts(self):
        self.assertEqual(merged(["a=1", "b=2"], ["a=3"]), ("a=3", "b=2"))

    def test_shipped_plans_are_sound_and_have_their_blocks_on_the_page(self):
        page = report.PAGE.read_text(encoding="utf-8")
        self.assertTrue(list(PLANS.glob("*.toml")))
        for file in PLANS.glob("*.toml"):
            plan = Plan(file)
            self.assertTrue(plan.runs())
            for name in (*report.tables(plan, {}), *report.drawings(plan, {})):
                self.assertIn(f"<!-- begin {name} -->", page)
                self.assertIn(f"<!-- end {name} -->", page)


class Seeds(unittest.TestCase):
    def test_quantiles_of_students_t(self):
        # SciPy's stats.t.ppf(0.975, n).
        for degrees, value in ((1, 12.706204736174694), (2, 4.302652729749462)):
            self.assertAlmostEqual(t_quantile(0.975, degrees), value, places=9)
        for degrees, value in ((4, 2.7764451051977934), (9, 2.2621571628540997)):
            self.assertAlmostEqual(t_quantile(0.975, degrees), value, places=9)

    def test_intervals(self):
        s = summary([1.0, 2.0, 3.0])
        self.assertEqual((s.n, s.mean, s.deviation), (3, 2.0, 1.0))
        self.assertAlmostEqual(s.half_width, 4.302652729749462 / 3**0.5)
        self.assertIsNone(summary([1.0]).half_width)

    def test_differences_are_of_common_seeds(self):
        self.assertEqual(paired({1: 1.0, 2: 2.0, 3: 9.0}, {1: 1.5, 2: 2.5}).mean, 0.5)
        self.assertIsNone(paired({1: 1.0}, {2: 1.0}))


class Results(WithPlan):
    def test_a_line_that_was_cut_off_does_not_count(self):
        file = self.folder / "results.jsonl"
        file.write_text('{"key": "a"}\n{"key": "b", "tra', encoding="utf-8")
        self.assertEqual(list(read_results(file)), ["a"])
        self.assertEqual(read_results(self.folder / "none"), {})

    def test_estimates_follow_what_was_measured(self):
        slow, fast = (self.plan.runs([name], [1])[-1] for name in ("slow", "fast"))
        estimate = Estimate()
        self.assertEqual(estimate.of(slow), 600)
        estimate.learn(fast, 30.0)
        self.assertEqual(estimate.of(fast), 30.0)
        self.assertEqual(estimate.of(slow), 300)

    def test_tables_say_what_was_run_and_what_was_not(self):
        ((name, text),) = report.tables(self.plan, self.lines()).items()
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
        self.assertEqual(name, "rates rates")
        slow, fast = rows[2:4]
        self.assertEqual(slow[:5], ["slow", "large", "0.2000", "0.1000", "-0.0484 to 0.4484"])
        self.assertEqual(slow[6:], ["0.2500", "3", "7", "30"])
        self.assertEqual(fast[5], "+0.1100 ± 0.1271")  # 0.10 and 0.12; 12.706 * 0.0141 / sqrt 2
        varied = "fast model.params.nv=2"
        self.assertEqual(
            text.splitlines()[-1],
            f"Not run: {varied} on large; slow, fast, {varied} on small.",
        )

    def test_plots_are_well_formed(self):
        ((name, (_, file, svg)),) = report.drawings(self.plan, self.lines()).items()
        self.assertEqual((name, file), ("rates rates plot", "study-rates-rates.svg"))
        root = ElementTree.fromstring(svg)
        self.assertEqual(root.attrib["aria-label"], "Rates & <seeds>")
        self.assertEqual(report.drawings(self.plan, {})[name][2], "")

    def test_the_page_keeps_the_lines_it_shows(self):
        used = report.Results(self.plan, {**self.lines(), "stale": {"key": "stale"}}).used()
        self.assertEqual(json.dumps(used), json.dumps(self.lines()))


if __name__ == "__main__":
    unittest.main()
