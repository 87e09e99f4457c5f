#!/usr/bin/env python3
"""Measures recloom from end to end and prints one table; ./dev bench builds it and calls this."""
import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import plots  # noqa: E402
from driver import figures, programs, report, scenarios, sweep  # noqa: E402
from driver.programs import ROOT, BenchError, say  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "plots"


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measures recloom from end to end and prints one table. The log is ml-1m where "
        "RECLOOM_DATA_DIR holds ml-1m/ml-1m.inter[.gz], else the shipped online-retail. Wants a "
        "quiet machine.",
        epilog="./dev bench micro [GOOGLE BENCHMARK OPTIONS] runs the benchmarks of the kernels.",
    )
    parser.add_argument("--quick", action="store_true", help="one short run of everything")
    parser.add_argument("--runs", type=int, default=3, help="runs whose median counts (3)")
    parser.add_argument("--threads", type=int, default=0, help="default: all that there are")
    parser.add_argument(
        "--peers",
        action="store_true",
        help="measure RecBole beside each run, in a Python environment of its own (build/peers, or "
        "RECLOOM_PEER_PYTHON)",
    )
    parser.add_argument("--shares", action="store_true", help="also: where a step's time goes")
    parser.add_argument(
        "--sweep", action="store_true", help="also: cost against L, catalogue size and threads"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument(
        "--update-docs",
        action="store_true",
        help="--shares and --sweep, and what was measured goes into docs/performance.md and "
        "docs/plots",
    )
    return parser.parse_args()


def measure(options):
    threads = options.threads or len(os.sched_getaffinity(0))
    runs = 1 if options.quick else options.runs
    bench = figures.Bench(programs.find_log(), threads, runs, options.peers, options.quick)
    bench.run_all()
    result = {
        "data": bench.log.stem,
        "machine": bench.machine,
        "figures": bench.figures,
        "peer": bench.peer_facts,
    }
    if options.shares or options.update_docs:
        result["shares"] = []
        for scenario in scenarios.TRAINING:
            say(f"shares of a step, {scenario.name}")
            try:
                result["shares"].append(bench.shares(scenario))
            except BenchError as error:
                say(f"{scenario.name} is left out: {error}")
    if options.sweep or options.update_docs:
        result["sweep"] = sweep.measure(bench)
    return result


def update_docs(result):
    page = PAGE.read_text(encoding="utf-8")
    page = report.replace_block(page, "figures", report.markdown(result))
    shares = report.markdown_shares(result["shares"], result["machine"]["flops_one"])
    page = report.replace_block(page, "shares", shares)
    PAGE.write_text(page, encoding="utf-8")
    PLOTS.mkdir(exist_ok=True)
    measurements = PLOTS / "measurements.json"
    measurements.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    plots.draw_all(result, PLOTS)
    say(f"wrote {PAGE.relative_to(ROOT)} and {PLOTS.relative_to(ROOT)}")


def main():
    options = arguments()
    result = measure(options)
    print(json.dumps(result) if options.json else report.text(result), end="")
    if options.update_docs:
        update_docs(result)


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
