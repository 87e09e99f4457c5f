"""The PyTorch peer of Caser's author form; skipped where there is no PyTorch."""
import argparse
import importlib.util
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "data" / "golden"
HAS_TORCH = importlib.util.find_spec("torch") is not None
if HAS_TORCH:
    sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))
    import caser_author
    import numpy as np
    import torch


@unittest.skipUnless(HAS_TORCH, "no PyTorch")
class Peer(unittest.TestCase):
    def log(self, L, T):
        # User a has 5 training items, b 2; c comes in the test file alone, as item z does.
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("train.txt", "test.txt")]
            rows = ["a p 1", "b q 1", "a q 1", "a r 1", "b s 1", "a s 1", "a t 1"]
            files[0].write_text("\n".join(rows), encoding="utf-8")
            files[1].write_text("a z 1\na p 1\nc q 1\n", encoding="utf-8")
            return caser_author.Log(*files, L, T)

    def test_windows_are_newest_first_and_padded_on_the_left(self):
        log = self.log(2, 2)  # p 1, q 2, r 3, s 4, t 5, z 6
        self.assertEqual(log.users.tolist(), [0, 0, 1, 2])
        wanted = [[2, 3, 4, 5], [1, 2, 3, 4], [0, 0, 2, 4], [0, 0, 0, 0]]
        self.assertEqual(log.windows.tolist(), wanted)
        self.assertEqual(log.last.tolist(), [[4, 5], [2, 4], [0, 0]])
        self.assertEqual((log.n_users, log.n_items), (3, 7))

    def test_negatives_are_even_among_what_a_user_has_not(self):
        log = self.log(2, 2)
        users = np.array([0, 1] * 3000)
        drawn = log.draw_negatives(users, 2, np.random.default_rng(1))
        self.assertEqual(set(drawn[0::2].ravel()), {6})
        counts = np.bincount(drawn[1::2].ravel(), minlength=7)
        self.assertEqual(counts[[0, 2, 4]].tolist(), [0, 0, 0])
        self.assertLess(abs(counts[[1, 3, 5, 6]] - 1500).max(), 150)

    def test_metrics_of_the_authors(self):
        # By hand: ranks after training items are out: 3, 1, 0, 4; test items 3, 4 and the known 2.
        def mask(*items):
            return torch.tensor([[item in items for item in range(5)]])

        scores = torch.tensor([[0.2, 0.3, 0.9, 0.5, 0.1]])
        sums, users = caser_author.ranking_metrics(scores, mask(2), mask(2, 3, 4))
        self.assertEqual(users, 1)
        self.assertAlmostEqual(sums["map"], (1 / 1 + 2 / 4) / 3, places=6)
        self.assertAlmostEqual(sums["precision@1"], 1.0)
        self.assertAlmostEqual(sums["recall@1"], 1 / 3, places=6)
        self.assertAlmostEqual(sums["precision@5"], 2 / 4, places=6)

    def test_golden_files(self):
        files = sorted((GOLDEN / "models").glob("caserpaper-author-*.safetensors"))
        for file in files:
            for form in ("author", "tuned"):
                with self.subTest(file=file.stem, form=form):
                    wrong, compared = caser_author.check(file, form)
                    self.assertEqual(wrong, [])
                    self.assertGreater(compared, 10)

    def test_golden_metrics(self):
        file = GOLDEN / "metrics" / "author_protocol.json"
        for case in json.loads(file.read_text(encoding="utf-8")) if file.exists() else ():
            if any(k not in caser_author.CUTOFFS for k in case["ks"]):
                continue
            scores = torch.from_numpy(np.load(file.parent / case["scores"]).astype("f8"))
            masks = []
            for rows in (case["train"], case["test"]):
                masks.append(torch.zeros(scores.shape, dtype=torch.bool))
                for user, items in enumerate(rows):
                    masks[-1][user, items] = True
            sums, users = caser_author.ranking_metrics(scores, *masks)
            with self.subTest(case=case["name"]):
                self.assertEqual(users, case["users_counted"])
                for name, value in case["mean_pad_ranked"].items():
                    mean = sums["map" if name == "ap" else name] / users
                    self.assertAlmostEqual(mean, value, places=6)

    def test_learns_what_is_learnable(self):
        log = self.log(2, 2)
        options = argparse.Namespace(
            L=2, d=8, nv=1, nh=2, user=True, phi_c="relu", phi_a="relu", dropout=0.0,
            form="tuned", lr=0.05, l2=0.0, batch=2, neg=2, windows=0,
        )
        torch.manual_seed(1)
        model = caser_author.Caser(log.n_users, log.n_items, options)
        optimizer = caser_author.optimizer_of(model, options)
        random = np.random.default_rng(1)
        losses = [
            caser_author.train_epoch(model, optimizer, log, options, random) for _ in range(30)
        ]
        self.assertLess(losses[-1], losses[0] / 2)


if __name__ == "__main__":
    unittest.main()
