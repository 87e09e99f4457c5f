"""The arithmetic and the tables of ./dev bench, without measuring anything."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import plots  # noqa: E402
from driver import cost_model, figures, report  # noqa: E402
from driver.peer import is_spoiled  # noqa: E402

MACHINE = {"cpu": "CPU", "threads": 2, "flops": 2e11, "flops_one": 1e11, "memory_bytes": 2e10}


def result():
    fast = {"key": "training rows, L=10", "label": "training", "unit": "rows/s", "value": 12345.6}
    fast |= {"share": 0.425, "busy": 0.95, "threads_ratio": 1.876, "ratio": 11.2}
    fast["peer"] = {"value": 1102.3, "spoiled": False, "cpu_per_wall": 1.9}
    slow = {"key": "x", "label": "evaluation", "unit": "users/s", "value": 99.94, "ratio": 4.0}
    slow["peer"] = {"value": 25.0, "spoiled": True}
    slow["ratio_one_thread"] = 2.5
    return {"machine": MACHINE, "figures": [fast, slow]}


class Table(unittest.TestCase):
    def test_shows_rates_shares_and_ratios(self):
        lines = report.text(result()).splitlines()
        self.assertEqual(lines[0], "CPU, 2 threads: 200 GFLOP/s, one 100; memory 20 GB/s")
        self.assertEqual(
            lines[3].split(), ["training", "12,346", "rows/s", "42%", "1,102", "11.2x", "1.88x"]
        )

    def test_marks_spoiled_ratios(self):
        text = report.text(result())
        self.assertIn("25.0 *", text)
        self.assertIn("2.50x (1 thread)", text)
        self.assertIn("* spoiled", text)

    def test_names_a_peer_that_is_another(self):
        found = result()
        found["figures"][0]["peer"]["name"] = "PyTorch, tuned"
        self.assertIn("1,102 (PyTorch, tuned)", report.text(found))

    def test_leaves_out_empty_columns(self):
        bare = {"key": "x", "label": "reading", "unit": "s", "value": 0.152}
        text = report.text({"machine": MACHINE, "figures": [bare]})
        self.assertNotIn("RecBole", text)
        self.assertIn("0.15", text)

    def test_replaces_a_block_of_a_page(self):
        page = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n"
        self.assertEqual(
            report.replace_block(page, "x", "new\n"),
            "a\n<!-- begin x -->\nnew\n<!-- end x -->\nb\n",
        )


class Rates(unittest.TestCase):
    def test_medians_of_single_steps(self):
        steps = figures.Steps()
        steps.add([100, 100, 100], [1.0, 2.0, 4.0], [2.0, 4.0, 8.0])
        self.assertEqual(steps.rate(), 50)
        self.assertEqual(steps.cpu_rate(), 25)
        self.assertEqual(steps.cpu_per_wall(), 2)

    def test_a_waiting_peer_is_spoiled(self):
        self.assertFalse(is_spoiled(cpu=1.9, wall=1.0, threads=2))
        self.assertTrue(is_spoiled(cpu=1.7, wall=1.0, threads=2))


class CostModel(unittest.TestCase):
    # By hand: L=2, d=3, nv=1, nh=2, five items, four distinct ones in a batch of two rows.
    SHAPE = cost_model.Shape(2, 5, 4, batch=2, size=3, vertical=1, horizontal=2)

    def test_counts_the_operations_of_a_row(self):
        parts = cost_model.training_parts(self.SHAPE)
        self.assertEqual(parts["vertical convolution"], 36)
        self.assertEqual(parts["horizontal convolution, products"], 216)
        self.assertEqual(parts["horizontal convolution, sums"], 2 * 4 + 12)
        self.assertEqual(parts["fc1"], 6 * 7 * 3)
        self.assertEqual(parts["fc2"], 108)
        self.assertEqual(parts["cross-entropy"], 90)

    def test_counts_the_operations_of_causal_models(self):
        shape = cost_model.Shape(2, 5, 4, size=3, positions=2, pairs=3, pairs_of_last=2)
        parts = cost_model.gru4rec_parts(shape, hidden=4)
        # Per position 3 * 4 rows of W_ih (3 columns) and W_hh (4): 84 multiply-adds, three times.
        self.assertEqual(parts["recurrent layer"], 2 * 2 * 84 * 3)
        self.assertEqual(parts["dense"], 2 * 12 * 3)
        parts = cost_model.sasrec_parts(shape, layers=2, inner=5)
        self.assertEqual(parts["keys and values"], 2 * 2 * 9 * 2 * 2 * 3)
        self.assertEqual(parts["queries and output"], 2 * 2 * 9 * (2 + 1) * 3)
        self.assertEqual(parts["attention"], 2 * 2 * 3 * (3 + 2) * 3)
        self.assertEqual(parts["feed-forward"], 2 * 2 * 15 * (2 + 1) * 3)

    def test_windows_cost_more_than_what_they_share(self):
        self.assertEqual(cost_model.windows_operations(self.SHAPE), 2 * 2 * 3 * 4 + 4 * 2 * 3 * 3)

    def test_counts_a_window_of_the_authors(self):
        # The same filters; fc1 as above; two targets and one negative of width 6.
        found = cost_model.author_operations(2, targets=2, negatives=1, size=3, nv=1, nh=2)
        windows = cost_model.windows_operations(self.SHAPE)
        self.assertEqual(found, 36 + windows + 6 * 7 * 3 + 6 * 3 * 6)

    def test_consecutive_rows_share_windows(self):
        self.assertEqual(cost_model.window_positions(self.SHAPE), cost_model.tetrahedron(2))
        many = cost_model.Shape(2, 5, 4, run=10**9)
        self.assertAlmostEqual(cost_model.window_positions(many), cost_model.triangle(2))

    def test_every_phase_has_a_part(self):
        shares = cost_model.shares({"item head": 3.0, "forward concat": 1.0})
        self.assertEqual(shares, {"cross-entropy": 0.75, cost_model.OTHER: 0.25})


class Plots(unittest.TestCase):
    def test_are_well_formed(self):
        found = result()
        found["sweep"] = {
            "length": [
                {"form": "rows", "length": n, "us_per_row": n, "limit_us_per_row": n / 2}
                for n in (1, 10, 50)
            ],
            "catalogue": [
                {"items": n, "us_per_row": n / 100, "limit_us_per_row": n / 200}
                for n in (1000, 100_000)
            ],
            "threads": [{"form": "rows", "threads": n, "rate": 10.0 * n} for n in (1, 2)],
        }
        with tempfile.TemporaryDirectory() as folder:
            plots.draw_all(found, folder)
            drawn = sorted(Path(folder).glob("*.svg"))
            self.assertEqual([each.stem for each in drawn], ["catalogue", "length", "threads"])
            for each in drawn:
                ElementTree.parse(each)


class Program(unittest.TestCase):
    def test_dev_bench_explains_itself(self):
        for arguments in (["bench", "--help"], ["bench", "micro", "--help"]):
            done = subprocess.run(
                [str(ROOT / "dev"), *arguments], capture_output=True, text=True, check=True
            )
            self.assertIn("./dev bench", done.stdout)

    def test_measurements_of_the_page_are_readable(self):
        file = ROOT / "docs" / "plots" / "measurements.json"
        found = json.loads(file.read_text(encoding="utf-8"))
        self.assertIn("figures", found)


if __name__ == "__main__":
    unittest.main()
