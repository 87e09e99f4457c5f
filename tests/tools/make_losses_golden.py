#!/usr/bin/env python3
"""Writes golden/losses.json: sampled losses and their gradients, computed by PyTorch in double.

usage: make_losses_golden.py OUTPUT   (any PyTorch 2)

Sampled softmax follows the definition of TensorFlow's sampled_softmax_loss: the logarithm of the
expected count, n q for n independent draws, is taken off every logit, accidental hits are put at the
lowest number, then softmax cross-entropy. gBCE follows the definition in the gSASRec paper: binary
cross-entropy of sigmoid(positive)^beta.
"""
import json
import sys

import torch
import torch.nn.functional as F


def sampled_softmax(positive, negative, targets, sampled, q):
    n = negative.shape[1]
    negative = negative - torch.log(n * q[sampled])
    hits = sampled == targets[:, None]
    negative = negative.masked_fill(hits, torch.finfo(negative.dtype).min)
    logits = torch.cat([positive - torch.log(n * q[targets])[:, None], negative], dim=1)
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long))


def gbce(positive, negative, beta):
    ones, zeros = torch.ones_like(positive), torch.zeros_like(negative)
    rows = F.binary_cross_entropy(torch.sigmoid(positive) ** beta, ones, reduction="none").sum(1)
    rows = rows + F.binary_cross_entropy(torch.sigmoid(negative), zeros, reduction="none").sum(1)
    return rows.mean()


def beta_of(n_negatives, real_items, t):
    alpha = n_negatives / (real_items - 1)
    return alpha * (t * (1 - 1 / alpha) + 1 / alpha)


def case(loss, rows, n, scale, seed, t=None, skewed=False, hits=False):
    generator = torch.Generator().manual_seed(seed)
    real_items = 50
    # Rounded to floats, so that both sides start from the same numbers.
    scores = (scale * torch.randn(rows, 1 + n, generator=generator)).float().double()
    targets = torch.randint(1, real_items + 1, (rows,), generator=generator)
    sampled = torch.randint(1, real_items + 1, (rows, n), generator=generator)
    sampled = torch.where(sampled == targets[:, None], sampled % real_items + 1, sampled)
    if hits:
        sampled[:, 0] = targets
    q = torch.arange(real_items + 1, dtype=torch.double) if skewed else torch.ones(real_items + 1)
    q = (q / q.sum()).double()
    scores.requires_grad_()
    positive, negative = scores[:, :1], scores[:, 1:]
    result = {"loss": loss, "n_items": real_items + 1}
    if loss == "gBCE":
        result.update(t=t, beta=beta_of(n, real_items, t))
        value = gbce(positive, negative, result["beta"])
    else:
        value = sampled_softmax(positive, negative, targets, sampled, q)
        if skewed:
            result["log_q"] = [-30.0] + torch.log(q[1:]).float().tolist()
    value.backward()
    result.update(scores=scores.tolist(), targets=targets.tolist(), sampled=sampled.tolist(),
                  value=value.item(), gradient=scores.grad.tolist())
    return result


def main():
    cases = []
    for n in (1, 5, 24):
        for t in (0.0, 0.75, 1.0):
            cases.append(case("gBCE", 3, n, 2.0, 10 + n, t=t))
        for skewed in (False, True):
            cases.append(case("sampled_softmax", 3, n, 2.0, 20 + n, skewed=skewed))
        cases.append(case("sampled_softmax", 3, n, 2.0, 30 + n, skewed=True, hits=True))
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"torch": torch.__version__.split("+")[0], "cases": cases}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
