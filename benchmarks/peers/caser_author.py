"""Caser as its authors train it, on the CPU in PyTorch: one run, told as one line of JSON.

    caser_author.py train.txt test.txt --epochs 20 --threads 2
    caser_author.py --check caserpaper-author-T3.safetensors ...

The files hold lines "user item rating", a user's in the order of time. Windows of L + T items,
targets the last T; negatives drawn for each window and epoch among the items that the user has not
in training; both classes weigh the same; L2 on all parameters; one ranking per user after training
items are taken out, in which the padding entry stands as an item.

--form author computes each filter height by a convolution over the whole width and updates tensor
by tensor, as that code does. --form tuned is the same function as a careful user of PyTorch might
write it: the vector's elements as channels of a convolution over time, and the fused optimizer.

--check compares loss, gradients and three optimizer steps of golden files with their tolerances.
"""
import argparse
import json
import resource
import struct
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}
CUTOFFS = (1, 5, 10)


class Caser(nn.Module):
    """Parameters carry the names of the golden files; parts without filters are not made."""

    def __init__(self, users, items, options):
        """users, items: entries of the tables, padding included."""
        super().__init__()
        L, d, nv, nh = options.L, options.d, options.nv, options.nh
        self.dropout = nn.Dropout(options.dropout)
        self.phi_c, self.phi_a = ACTIVATIONS[options.phi_c], ACTIVATIONS[options.phi_a]
        self.tuned = options.form == "tuned"
        self.item_embeddings = nn.Embedding(items, d)
        self.user_embeddings = nn.Embedding(users, d) if options.user else None
        self.conv_v = nn.Conv2d(1, nv, (L, 1)) if nv else None
        heights = range(1, L + 1) if nh else ()
        self.conv_h = nn.ModuleList(nn.Conv2d(1, nh, (h, d)) for h in heights)
        self.fc1 = nn.Linear(nv * d + nh * L, d)
        width = 2 * d if options.user else d
        self.W2, self.b2 = nn.Embedding(items, width), nn.Embedding(items, 1)
        for table in (self.item_embeddings, self.user_embeddings, self.W2):
            if table:
                table.weight.data.normal_(0, 1 / table.embedding_dim)
        self.b2.weight.data.zero_()

    def query(self, users, histories):
        """[rows], [rows, L] -> [rows, 2d], or [rows, d] without user vectors."""
        vectors = self.item_embeddings(histories)  # [rows, L, d]
        parts = self.tuned_filters(vectors) if self.tuned else self.filters(vectors)
        z = self.phi_a(self.fc1(self.dropout(torch.cat(parts, 1))))
        return torch.cat([z, self.user_embeddings(users)], 1) if self.user_embeddings else z

    def filters(self, vectors):
        plane = vectors.unsqueeze(1)
        parts = [self.conv_v(plane).flatten(1)] if self.conv_v else []
        return parts + [self.phi_c(conv(plane).squeeze(3)).amax(2) for conv in self.conv_h]

    def tuned_filters(self, vectors):
        parts = []
        if self.conv_v:
            weight = self.conv_v.weight.flatten(1)  # [nv, L]
            parts = [(weight @ vectors + self.conv_v.bias[:, None]).flatten(1)]
        channels = vectors.transpose(1, 2).contiguous()
        for conv in self.conv_h:
            maps = functional.conv1d(channels, conv.weight[:, 0].transpose(1, 2), conv.bias)
            parts.append(self.phi_c(maps.amax(2)))  # no activation decreases: the maximum first
        return parts

    def scores(self, query, items):
        """[rows, width], [rows, n] -> [rows, n]."""
        return (self.W2(items) @ query[:, :, None] + self.b2(items)).squeeze(2)

    def all_scores(self, query):
        return query @ self.W2.weight.T + self.b2.weight.T

    def loss(self, users, histories, targets, negatives):
        scores = self.scores(self.query(users, histories), torch.cat([targets, negatives], 1))
        wanted, others = scores.split([targets.shape[1], negatives.shape[1]], 1)
        return -(functional.logsigmoid(wanted).mean() + functional.logsigmoid(-others).mean())


def optimizer_of(model, options):
    return torch.optim.Adam(
        model.parameters(), lr=options.lr, weight_decay=options.l2, fused=options.form == "tuned"
    )


# ---- data ----------------------------------------------------------------------------------------


def numbered(tokens, known):
    """Each token's number, in the order of first appearance; known grows."""
    return np.fromiter((known.setdefault(token, len(known)) for token in tokens), np.int64)


class Log:
    """Users from 0; items from 1, 0 is padding; one of the test file alone is as good as others."""

    def __init__(self, train_file, test_file, L, T):
        users, items = {}, {"": 0}
        parts = []
        for file in (train_file, test_file):
            words = Path(file).read_text(encoding="utf-8").split()
            parts.append((numbered(words[0::3], users), numbered(words[1::3], items)))
        self.n_users, self.n_items = len(users), len(items)
        self.in_train = self.members(*parts[0])
        self.in_test = self.members(*parts[1])
        self.build_windows(*parts[0], L, T)

    def members(self, users, items):
        found = np.zeros((self.n_users, self.n_items), bool)
        found[users, items] = True
        return found

    def build_windows(self, users, items, L, T):
        """users [windows], windows [windows, L + T], newest first; last [users, L], the histories
        of the test."""
        order = np.argsort(users, kind="stable")
        counts = np.bincount(users, minlength=self.n_users)
        padding = np.maximum(0, L + T - counts)
        ends = np.cumsum(counts + padding)
        flat = np.zeros(ends[-1], np.int64)
        within = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
        flat[np.repeat(ends - counts, counts) + within] = items[order]
        many = counts + padding - (L + T) + 1
        self.users = np.repeat(np.arange(self.n_users), many)
        newest = np.repeat(ends - (L + T), many)
        age = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        self.windows = flat[(newest - age)[:, None] + np.arange(L + T)]
        self.last = flat[(ends - L)[:, None] + np.arange(L)]

    def draw_negatives(self, users, count, random):
        """[users, count]: even among the items, not padding, that the user has not in training."""
        drawn = random.integers(1, self.n_items, (len(users), count))
        rows, columns = np.nonzero(self.in_train[users[:, None], drawn])
        while len(rows):
            again = random.integers(1, self.n_items, len(rows))
            drawn[rows, columns] = again
            seen = self.in_train[users[rows], again]
            rows, columns = rows[seen], columns[seen]
        return drawn


# ---- training and evaluation ---------------------------------------------------------------------


def train_epoch(model, optimizer, log, options, random):
    """The mean loss of the epoch's batches."""
    model.train()
    order = random.permutation(len(log.users))[: options.windows or None]
    negatives = torch.from_numpy(log.draw_negatives(log.users[order], options.neg, random))
    users = torch.from_numpy(log.users[order])
    histories = torch.from_numpy(log.windows[order, : options.L])
    targets = torch.from_numpy(log.windows[order, options.L :])
    batches = [each.split(options.batch) for each in (users, histories, targets, negatives)]
    total = 0.0
    for batch in zip(*batches):
        loss = model.loss(*batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(batches[0])


def ranking_metrics(scores, in_train, in_test):
    """Sums over users with test items of precision and recall at the cut-offs and of average
    precision, and how many such users there are. scores, in_train, in_test: [users, items].

    A test item that the user has in training cannot be hit and still counts."""
    asked = in_test.any(1)
    scores, in_train, in_test = scores[asked], in_train[asked], in_test[asked]
    relevant, ranked = in_test.sum(1), (~in_train).sum(1)
    scores = scores.masked_fill(in_train, -torch.inf)
    order = scores.argsort(dim=1, descending=True, stable=True)
    hits = (in_test & ~in_train).gather(1, order)
    found = hits.cumsum(1)
    precision = found / torch.arange(1, found.shape[1] + 1)
    sums = {"map": ((precision * hits).sum(1) / relevant).sum()}
    for k in CUTOFFS:
        hits_at_k = found[:, min(k, found.shape[1]) - 1]
        sums[f"precision@{k}"] = (hits_at_k / ranked.clamp(max=k)).sum()
        sums[f"recall@{k}"] = (hits_at_k / relevant).sum()
    return {name: float(value) for name, value in sums.items()}, int(asked.sum())


@torch.no_grad()
def evaluate(model, log, rows=512):
    model.eval()
    sums, users = {}, 0
    for block in torch.arange(log.n_users).split(rows):
        query = model.query(block, torch.from_numpy(log.last[block]))
        found, asked = ranking_metrics(
            model.all_scores(query),
            torch.from_numpy(log.in_train[block]),
            torch.from_numpy(log.in_test[block]),
        )
        sums = {name: value + sums.get(name, 0) for name, value in found.items()}
        users += asked
    return {name: value / users for name, value in sums.items()}


class Clock:
    def __init__(self):
        self.begin = time.perf_counter(), time.process_time()

    def seconds(self):
        """Wall and processor seconds since the start."""
        return time.perf_counter() - self.begin[0], time.process_time() - self.begin[1]


def run(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    clock = Clock()
    log = Log(options.files[0], options.files[1], options.L, options.T)
    opening, _ = clock.seconds()
    model = Caser(log.n_users, log.n_items, options)
    optimizer = optimizer_of(model, options)
    wall, cpu, losses = [], [], []
    for epoch in range(options.epochs):
        clock = Clock()
        losses.append(train_epoch(model, optimizer, log, options, random))
        seconds = clock.seconds()
        wall.append(seconds[0])
        cpu.append(seconds[1])
        if options.progress:
            print(f"epoch {epoch + 1}  loss {losses[-1]:.4f}  {wall[-1]:.1f} s", file=sys.stderr)
    rows = options.windows or len(log.users)
    clock = Clock()
    metrics = evaluate(model, log) if options.evaluate else {}
    evaluation = clock.seconds()
    settings = {name: value for name, value in vars(options).items() if name != "check"}
    return {
        **settings,
        "torch": torch.__version__,
        "users": log.n_users,
        "items": log.n_items - 1,
        "rows": rows,
        "open_seconds": opening,
        "epoch_seconds": wall,
        "epoch_cpu_seconds": cpu,
        "rows_per_second": rows * len(wall) / sum(wall),
        "evaluation_seconds": evaluation[0],
        "evaluation_cpu_seconds": evaluation[1],
        "loss": losses,
        "test": metrics,
        "peak_memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


# ---- golden files --------------------------------------------------------------------------------


def read_safetensors(file):
    content = Path(file).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    metadata, base, tensors = header.pop("__metadata__"), 8 + length, {}
    for name, entry in header.items():
        begin, end = (base + offset for offset in entry["data_offsets"])
        kind = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}[entry["dtype"]]
        numbers = np.frombuffer(content[begin:end], kind).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(numbers.copy())
    return metadata, tensors


def options_of(metadata, form):
    return argparse.Namespace(
        L=int(metadata["max_len"]),
        d=int(metadata["embedding_size"]),
        nv=int(metadata["nv"]) if metadata["use_vertical"] == "true" else 0,
        nh=int(metadata["nh"]) if metadata["use_horizontal"] == "true" else 0,
        user=metadata["use_user"] == "true",
        phi_c=metadata["phi_c"],
        phi_a=metadata["phi_a"],
        dropout=0.0,
        form=form,
        lr=float(metadata["lr"]),
        l2=float(metadata["weight_decay"]),
    )


def check(file, form):
    """Names of the tensors of a golden file that differ by more than their tolerance, and how many
    were compared."""
    metadata, golden = read_safetensors(file)
    if metadata["loss_type"] != "author":
        raise SystemExit(f"{file}: loss_type {metadata['loss_type']}, not author")
    options = options_of(metadata, form)
    model = Caser(int(metadata["n_users"]), int(metadata["n_items"]), options)
    model.load_state_dict(
        {name[6:]: value for name, value in golden.items() if name.startswith("param.")}
    )
    optimizer = optimizer_of(model, options)
    inputs = [golden[f"input.{name}"] for name in ("user", "item_seq", "target", "neg_item")]
    query = model.query(*inputs[:2])
    found = {"out.full_sort": model.all_scores(query)}
    found["out.predict"] = model.scores(query, inputs[2])
    losses = []
    for _ in range(int(metadata["steps"])):
        optimizer.zero_grad()
        loss = model.loss(*inputs)
        loss.backward()
        if not losses:
            found |= {f"grad.{name}": p.grad.clone() for name, p in model.named_parameters()}
        losses.append(loss.detach())
        optimizer.step()
    found["out.loss"], found["loss_trace"] = losses[0], torch.stack(losses)
    found |= {f"after3.{name}": value for name, value in model.named_parameters()}
    wrong = [
        name
        for name, value in found.items()
        if not torch.all((value.double() - golden[name]).abs() <= golden[f"tol.{name}"])
    ]
    return wrong, len(found)


def check_all(options):
    failed = False
    for file in options.files:
        for form in ("author", "tuned"):
            wrong, compared = check(file, form)
            failed = failed or bool(wrong)
            told = f"{compared} tensors within tolerance"
            if wrong:
                told = f"differs: {', '.join(wrong)}"
            print(f"{Path(file).stem} ({form}): {told}")
    return 1 if failed else 0


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", help="train.txt test.txt, or with --check golden files")
    parser.add_argument("--check", action="store_true", help="compare with golden files")
    parser.add_argument("--form", choices=("author", "tuned"), default="author")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--L", type=int, default=5, help="items of a history")
    parser.add_argument("--T", type=int, default=3, help="targets of a window")
    parser.add_argument("--d", type=int, default=50, help="size of a vector")
    parser.add_argument("--nv", type=int, default=4, help="vertical filters; 0: without")
    parser.add_argument("--nh", type=int, default=16, help="filters of each height; 0: without")
    parser.add_argument("--neg", type=int, default=3, help="negatives of a window")
    parser.add_argument("--no-user", dest="user", action="store_false", help="without user vectors")
    parser.add_argument("--phi_c", choices=ACTIVATIONS, default="relu")
    parser.add_argument("--phi_a", choices=ACTIVATIONS, default="relu")
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--l2", type=float, default=1e-6)
    parser.add_argument("--windows", type=int, default=0, help="of an epoch; 0: all")
    parser.add_argument("--no-evaluate", dest="evaluate", action="store_false")
    parser.add_argument("--progress", action="store_true", help="a line for each epoch, to stderr")
    options = parser.parse_args()
    if not options.check and len(options.files) != 2:
        parser.error("two files are needed: the training file and the test file")
    if options.nv == 0 and options.nh == 0:
        parser.error("--nv 0 and --nh 0 leave no convolution")
    return options


def main():
    options = arguments()
    if options.check:
        return check_all(options)
    print(json.dumps(run(options)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
