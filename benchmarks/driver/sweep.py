"""Cost against one quantity at a time, for the plots of docs/performance.md."""
import dataclasses

from driver import cost_model, programs, scenarios
from driver.figures import Steps, add_evaluation, add_training, shape_of
from driver.programs import BenchError, end_to_end, say


def measure(bench):
    return {
        "length": lengths(bench),
        "catalogue": catalogues(bench),
        "threads": threads(bench),
        "machine": bench.machine,
        "data": bench.log.stem,
    }


def batchings():
    """The forms of batches that some scenario trains with."""
    found = {}
    for scenario in scenarios.TRAINING:
        found.setdefault(scenario.batching, scenario)
    return found.values()


def training_rate(bench, scenario, n_threads, **values):
    steps = Steps()
    found = bench.train(scenario, n_threads, **values)
    add_training(steps, found)
    return steps, found


def lengths(bench):
    """Microseconds of processor time of a row."""
    points = []
    for form in batchings():
        for length in scenarios.SWEEP_LENGTHS[:: 3 if bench.quick else 1]:
            scenario = dataclasses.replace(form, length=length, steps=8, evaluates=False)
            say(f"sweep, {form.batching}, L={length}")
            try:
                steps, found = training_rate(bench, scenario, 1)
            except BenchError as error:
                say(f"left out: {error}")
                break
            shape = shape_of(found, length)
            points.append(
                {
                    "form": form.batching,
                    "length": length,
                    "us_per_row": 1e6 / steps.cpu_rate(),
                    "limit_us_per_row": 1e6
                    * sum(cost_model.training_parts(shape).values())
                    / bench.machine["flops_one"],
                }
            )
    return points


def catalogues(bench):
    """The same against the number of items, on random events; full softmax."""
    points = []
    form = scenarios.TRAINING[0]
    for items in scenarios.SWEEP_CATALOGUES[: 4 if bench.quick else None]:
        say(f"sweep, {items} items")
        log = programs.synthetic_log(
            f"catalogue-{items}.inter", 24 << 20, items=items, users=6000
        )
        found = end_to_end(
            "train",
            settings=form.all_settings(),
            data=log,
            threads=1,
            warmup=1,
            steps=3 if items <= 30_000 else 1,
        )
        steps = Steps()
        add_training(steps, found)
        shape = shape_of(found, form.length)
        points.append(
            {
                "items": found["items"],
                "us_per_row": 1e6 / steps.cpu_rate(),
                "limit_us_per_row": 1e6
                * sum(cost_model.training_parts(shape).values())
                / bench.machine["flops_one"],
            }
        )
    return points


def threads(bench):
    """Rates with 1, 2, ... threads."""
    points = []
    counts = sorted({1, 2, *range(4, bench.machine["cores"] + 1, 2), bench.machine["cores"]})
    for scenario in scenarios.TRAINING:
        for count in (c for c in counts if c <= bench.machine["cores"]):
            say(f"sweep, {scenario.name}, {count} threads")
            training, evaluation = Steps(), Steps()
            try:
                for _ in range(bench.repeats):
                    found = bench.train(scenario, count)
                    add_training(training, found)
                    add_evaluation(evaluation, found, found["test_rows"])
            except BenchError as error:
                say(f"left out: {error}")
                break
            points.append(
                {"form": scenario.name, "threads": count, "rate": training.rate()}
            )
            if scenario.evaluates:
                points.append(
                    {
                        "form": f"evaluation, L={scenario.length}",
                        "threads": count,
                        "rate": evaluation.rate(),
                    }
                )
    return points
