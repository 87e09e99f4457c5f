"""What is measured: the one list to add to."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Training:
    """A way to train a model with its defaults (cross-entropy over all items, batches of 2,048)."""

    name: str
    length: int
    steps: int  # timed steps of one run
    batching: str = "rows"
    peer_steps: int = 0  # timed steps of the peer beside each run; 0: the peer has no such form
    evaluates: bool = False  # also measures evaluation
    settings: tuple = ()
    model: str = "caser"

    def all_settings(self):
        return (
            f"data.max_length={self.length}",
            f'train.batching="{self.batching}"',
            *self.settings,
        )


TRAINING = (
    Training("rows, L=10", 10, steps=20, peer_steps=5, evaluates=True),
    Training("rows, L=50", 50, steps=8, peer_steps=1, evaluates=True),
    Training("chunks, L=10", 10, steps=20, batching="chunks", peer_steps=5),
    Training("chunks, L=50", 50, steps=20, batching="chunks", peer_steps=1),
)

# Other models, measured after the first one and left out of shares and sweeps. A row of the peer's
# stands beside a target of "sequences": both are one prediction that is trained.
MODELS = (
    Training("gru4rec, rows, L=50", 50, steps=8, peer_steps=2, model="gru4rec"),
    Training(
        "gru4rec, sequences, L=50",
        50,
        steps=40,
        batching="sequences",
        peer_steps=2,
        model="gru4rec",
    ),
    Training("sasrec, rows, L=50", 50, steps=8, peer_steps=2, model="sasrec"),
    Training(
        "sasrec, sequences, L=50",
        50,
        steps=40,
        batching="sequences",
        peer_steps=2,
        settings=("train.shard_rows=256",),
        model="sasrec",
    ),
)

# Caser as its authors train it, beside two ways to write it in PyTorch (benchmarks/peers/
# caser_author.py); a row is a window with its targets.
AUTHOR_FORMS = {
    "author": "training, caser author form, L=5 T=3",
    "tuned": "training, caser author form, L=5 T=3, tuned peer",
}
AUTHOR_SHAPE = {"length": 5, "targets": 3, "negatives": 3, "size": 50, "nv": 4, "nh": 16}
AUTHOR_EPOCHS = 3
AUTHOR_PEER_WINDOWS = 102_400  # 200 of an epoch's 1,484 batches

# Sweeps behind the plots: one quantity at a time, around L=10 on the data set's own catalogue.
SWEEP_LENGTHS = (1, 5, 10, 20, 30, 40, 50)
SWEEP_CATALOGUES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000)

TOP_K_ITEMS = 1_000_000
HEAD_ITEMS = 1_000_000
SYNTHETIC_BYTES = 256 << 20
EMBEDDING_SIZE = 64
