"""A model of RecBole's on the CPU, measured piece by piece.

    recbole_model.py LOG.inter --model Caser --length 10 --threads 2

Loads the log, then reads commands from standard input and answers each with a line of JSON:

    train N      N training steps, as RecBole's trainer takes them
    evaluate     one full-ranking evaluation of the test part
    threads N    from now on with N threads
    form NAME    of Caser; recbole: the forward pass as it is; conv1d: the same function, written as
                 a careful user of PyTorch might, with the vector's elements as channels of a
                 convolution over time

The first line, before any command, says what was loaded. RecBole's autograd anomaly detection,
which it switches on for the whole process, is switched off.
"""
import argparse
import json
import os
import resource
import sys
import tempfile
import time
import warnings
from types import MethodType

# Names that NumPy 2 dropped and RecBole 1.2.1 uses.
NUMPY_NAMES = {"float_": "float64", "complex_": "complex128", "unicode_": "str_"}


def import_torch():
    import numpy
    import torch

    for old, new in NUMPY_NAMES.items():
        if not hasattr(numpy, old):
            setattr(numpy, old, getattr(numpy, new))
    return torch


def settings(folder, options):
    return {
        "data_path": folder,
        "checkpoint_dir": os.path.join(folder, "saved"),
        "use_gpu": False,
        "show_progress": False,
        "state": "ERROR",
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "user_inter_num_interval": "[5,inf)",
        "item_inter_num_interval": "[5,inf)",
        "MAX_ITEM_LIST_LENGTH": options.length,
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "train_batch_size": options.batch,
        "eval_batch_size": 4096,
        "eval_args": {
            "split": {"LS": "valid_and_test"},
            "order": "TO",
            "group_by": "user",
            "mode": "full",
        },
        "metrics": ["Hit", "NDCG", "MRR"],
        "topk": [10, 20],
        "valid_metric": "NDCG@10",
    }


class Session:
    def __init__(self, options, folder):
        self.torch = import_torch()
        self.torch.set_num_threads(options.threads)
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import get_model, get_trainer, init_seed

        os.makedirs(os.path.join(folder, "log"))
        os.symlink(os.path.abspath(options.log), os.path.join(folder, "log", "log.inter"))
        os.chdir(folder)  # RecBole leaves files in the current folder
        config = Config(options.model, "log", config_dict=settings(folder, options))
        init_seed(config["seed"], config["reproducibility"])
        begin, used = time.perf_counter(), time.process_time()
        dataset = create_dataset(config)
        self.train_data, _, self.test_data = data_preparation(config, dataset)
        self.open_seconds = time.perf_counter() - begin
        self.open_cpu_seconds = time.process_time() - used
        self.model = get_model(options.model)(config, self.train_data.dataset)
        self.torch.autograd.set_detect_anomaly(False)
        self.trainer = get_trainer(config["MODEL_TYPE"], options.model)(config, self.model)
        self.original_forward = self.model.forward
        self.batches = iter(())
        self.users, self.items = int(dataset.user_num) - 1, int(dataset.item_num) - 1

    def next_batch(self):
        batch = next(self.batches, None)
        if batch is None:
            self.batches = iter(self.train_data)
            batch = next(self.batches)
        return batch

    def step(self):
        batch = self.next_batch()
        self.trainer.optimizer.zero_grad()
        loss = self.model.calculate_loss(batch)
        if self.torch.isnan(loss):
            raise ValueError("the loss is not a number")
        loss.backward()
        self.trainer.optimizer.step()
        return len(batch)

    def train(self, steps):
        self.model.train()
        rows, wall, cpu = [], [], []
        for _ in range(int(steps)):
            begin, used = time.perf_counter(), time.process_time()
            rows.append(self.step())
            wall.append(time.perf_counter() - begin)
            cpu.append(time.process_time() - used)
        return {"step_rows": rows, "step_seconds": wall, "step_cpu_seconds": cpu}

    def evaluate(self):
        begin, used = time.perf_counter(), time.process_time()
        self.trainer.evaluate(self.test_data, load_best_model=False, show_progress=False)
        wall, cpu = time.perf_counter() - begin, time.process_time() - used
        return {"evaluation_seconds": [wall], "evaluation_cpu_seconds": [cpu]}

    def threads(self, count):
        self.torch.set_num_threads(int(count))
        return {"threads": self.torch.get_num_threads()}

    def form(self, name):
        self.model.forward = self.original_forward
        if name == "recbole":
            return {"form": name, "difference": 0.0}
        batch = self.next_batch()
        users, items = batch[self.model.USER_ID], batch[self.model.ITEM_SEQ]
        self.model.eval()
        with self.torch.no_grad():
            wanted = self.model.forward(users, items)
            self.model.forward = MethodType(conv1d_forward, self.model)
            difference = (self.model.forward(users, items) - wanted).abs().max()
        return {"form": name, "difference": float(difference / wanted.abs().max())}

    def facts(self):
        import importlib.metadata as metadata

        return {
            "threads": self.torch.get_num_threads(),
            "users": self.users,
            "items": self.items,
            "train_rows": len(self.train_data.dataset),
            "test_rows": len(self.test_data.dataset),
            "open_seconds": self.open_seconds,
            "open_cpu_seconds": self.open_cpu_seconds,
            "anomaly_detection": self.torch.is_anomaly_enabled(),
            "versions": {name: metadata.version(name) for name in ("recbole", "torch", "numpy")},
        }


def conv1d_forward(model, users, items):
    import torch
    from torch.nn import functional

    vectors = model.item_embedding(items)  # [rows, L, d]
    weight = model.conv_v.weight.reshape(model.n_v, -1)
    vertical = torch.matmul(weight, vectors) + model.conv_v.bias[None, :, None]
    channels = vectors.transpose(1, 2).contiguous()
    parts = [vertical.flatten(1)]
    for conv in model.conv_h:
        maps = functional.conv1d(channels, conv.weight[:, 0].transpose(1, 2), conv.bias)
        parts.append(functional.relu(maps.amax(2)))  # relu does not decrease: the maximum first
    hidden = functional.relu(model.fc1(model.dropout(torch.cat(parts, 1))))
    both = torch.cat([hidden, model.user_embedding(users).squeeze(1)], 1)
    return functional.relu(model.fc2(both))


def serve(options, folder, answers):
    def answer(found):
        found["peak_memory"] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps(found), file=answers, flush=True)

    session = Session(options, folder)
    answer(session.facts())
    for line in sys.stdin:
        command, *arguments = line.split()
        answer(getattr(session, command)(*arguments))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("log")
    parser.add_argument("--model", default="Caser", help="as RecBole names it")
    parser.add_argument("--length", type=int, default=10)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    sys.argv = sys.argv[:1]  # RecBole parses the command line too
    warnings.filterwarnings("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what RecBole prints is no answer
    home = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="recbole-") as folder:
        try:
            serve(options, folder, answers)
        finally:
            os.chdir(home)


if __name__ == "__main__":
    main()
