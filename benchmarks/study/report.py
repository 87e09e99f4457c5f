#!/usr/bin/env python3
"""Makes tables and plots of what studies found.

    python3 benchmarks/study/report.py build/study                 # the tables, as Markdown
    python3 benchmarks/study/report.py build/study --update-docs   # into docs/caser_study.md
    python3 benchmarks/study/report.py --update-docs               # redraws what the page holds

--update-docs writes the results that the page needs to docs/plots/caser_study.jsonl, tables between
the page's marks (<!-- begin PLAN NAME -->) and plots to docs/plots (<!-- begin PLAN NAME plot -->).
Plans ask for

    [[table]]
    name = "..."
    groups = ["..."]              # of settings, in this order
    part = "test"                 # or "valid", or a protocol of "also"
    metrics = ["map"]             # the first with deviation and interval, the others as means
    against = "..."               # optional: a setting from which seed by seed differences are told
    ranked = true                 # optional: best mean first; for choosing, so valid only

    [[plot]]
    name, groups, part, metric, title
"""
import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import plots  # noqa: E402
from driver.report import markdown_table, replace_block  # noqa: E402
from study.plan import PLANS, Plan, PlanError  # noqa: E402
from study.run import read_results  # noqa: E402
from study.seeds import paired, summary  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "caser_study.md"
PLOTS = ROOT / "docs" / "plots"
KEPT = PLOTS / "caser_study.jsonl"


def part_of(result, part):
    return result[part] if part in ("test", "valid") else result["also"].get(part, {})


class Results:
    """What is known of a plan's settings."""

    def __init__(self, plan, lines):
        self.plan, self.lines = plan, lines

    def of(self, setting, log):
        """Results by seed, of all seeds that were run."""
        keys = {run.key(): run.seed for run in self.plan.runs_of(setting, log, range(1, 101))}
        return {seed: self.lines[key] for key, seed in keys.items() if key in self.lines}

    def values(self, setting, log, part, metric):
        """By seed."""
        found = {seed: part_of(one, part) for seed, one in self.of(setting, log).items()}
        return {seed: metrics[metric] for seed, metrics in found.items() if metric in metrics}

    def rows_of(self, groups):
        """(setting, log), log by log."""
        settings = [s for group in groups for s in self.plan.settings.values() if s.group == group]
        if not settings:
            raise PlanError(f"{self.plan.file}: no setting is of the groups {groups}")
        logs = list(dict.fromkeys(log for setting in settings for log in setting.logs))
        return [(setting, log) for log in logs for setting in settings if log in setting.logs]

    def used(self):
        """The lines that the plan's settings are found in."""
        pairs = [(s, log) for s in self.plan.settings.values() for log in s.logs]
        return {one["key"]: one for pair in pairs for one in self.of(*pair).values()}


# ---- tables --------------------------------------------------------------------------------------


def figures(values):
    """Mean, sample deviation and interval, as far as there are seeds for them."""
    if not values:
        return ("", "", "")
    s = summary(values)
    if s.deviation is None:
        return (f"{s.mean:.4f}", "", "")
    interval = f"{s.mean - s.half_width:.4f} to {s.mean + s.half_width:.4f}"
    return (f"{s.mean:.4f}", f"{s.deviation:.4f}", interval)


def difference(results, table, setting, log):
    if "against" not in table or setting.name == table["against"]:
        return ""
    other = results.plan.settings[table["against"]]
    one = [results.values(s, log, table["part"], table["metrics"][0]) for s in (other, setting)]
    s = paired(*one)
    if s is None:
        return ""
    return f"{s.mean:+.4f}" + (f" ± {s.half_width:.4f}" if s.half_width is not None else "")


def cells(results, table, setting, log):
    part, (first, *others) = table["part"], table["metrics"]
    values = results.values(setting, log, part, first)
    row = [setting.name, log, *figures(list(values.values()))]
    row.append(difference(results, table, setting, log))
    for metric in others:
        row.append(figures(list(results.values(setting, log, part, metric).values()))[0])
    published = setting.published.get(log, {}).get(first)
    row.append(f"{published:.4f}" if published else "")
    done = results.of(setting, log).values()
    row.append(str(len(values)))
    row.append(f"{summary([one['train']['epochs'] for one in done]).mean:.0f}")
    row.append(f"{summary([one['seconds'] for one in done]).mean:.0f}")
    return [*row, setting.notes]


def table_text(results, table):
    first, *others = table["metrics"]
    against = f"against {table.get('against', '')}"
    headings = ["setting", "log", f"{table['part']} {first}", "deviation", "95 % interval", against]
    headings += [*others, "published", "seeds", "epochs", "s a run", ""]
    pairs = results.rows_of(table["groups"])
    known = [pair for pair in pairs if results.values(*pair, table["part"], first)]
    if table.get("ranked"):
        known.sort(key=lambda pair: -mean_of(results, table, *pair))
    rows = [cells(results, table, *pair) for pair in known]
    columns = [c for c in range(len(headings)) if any(row[c] for row in rows)]
    if len({log for _, log in pairs}) == 1:
        columns = [c for c in columns if c != 1]
    table_rows = [[row[c] for c in columns] for row in rows]
    text = markdown_table([headings[c] for c in columns], table_rows) if rows else ""
    return "\n".join(part for part in (text, not_run(pairs, known)) if part)


def not_run(pairs, known):
    """A line that says which settings have no result, log by log."""
    missing = {}
    for setting, log in pairs:
        if (setting, log) not in known:
            missing.setdefault(log, []).append(setting.name)
    parts = [f"{', '.join(names)} on {log}" for log, names in missing.items()]
    return f"Not run: {'; '.join(parts)}.\n" if parts else ""


def mean_of(results, table, setting, log):
    values = results.values(setting, log, table["part"], table["metrics"][0])
    return summary(list(values.values())).mean


# ---- plots ---------------------------------------------------------------------------------------


def plot_text(results, plot):
    """A line for each setting, a dot for its mean on each log, a bar for the interval."""
    pairs = results.rows_of(plot["groups"])
    logs = list(dict.fromkeys(log for _, log in pairs))
    names = list(dict.fromkeys(setting.name for setting, _ in pairs))
    marks = []
    for setting, log in pairs:
        values = list(results.values(setting, log, plot["part"], plot["metric"]).values())
        if values:
            marks.append((names.index(setting.name), logs.index(log), summary(values)))
    label = f"{plot['part']} {plot['metric']}"
    return plots.dot_chart(plot["title"], label, names, logs, marks) if marks else ""


# ---- the page ------------------------------------------------------------------------------------


def tables(plan, lines):
    """Markdown by block of the page."""
    results, found = Results(plan, lines), {}
    for table in plan.content.get("table", []):
        found[f"{plan.name} {table['name']}"] = table_text(results, table)
    return found


def drawings(plan, lines):
    """(title, name of a file, SVG) by block of the page; no SVG where nothing is known."""
    results, found = Results(plan, lines), {}
    for plot in plan.content.get("plot", []):
        file = f"study-{plan.name}-{plot['name']}.svg"
        found[f"{plan.name} {plot['name']} plot"] = plot["title"], file, plot_text(results, plot)
    return found


def replaced(page, name, text):
    if f"<!-- begin {name} -->" not in page:
        raise PlanError(f"{PAGE}: no <!-- begin {name} -->")
    return replace_block(page, name, text)


def update_docs(plans, lines):
    page = PAGE.read_text(encoding="utf-8")
    kept = {}
    for plan in plans:
        for name, text in tables(plan, lines).items():
            page = replaced(page, name, text)
        for name, (title, file, svg) in drawings(plan, lines).items():
            page = replaced(page, name, f"![{title}](plots/{file})" if svg else "")
            if svg:
                (PLOTS / file).write_text(svg, encoding="utf-8")
        kept |= Results(plan, lines).used()
    PAGE.write_text(page, encoding="utf-8")
    text = "".join(json.dumps(one) + "\n" for one in kept.values())
    KEPT.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", nargs="*", help="folders of run.py; none: what the page holds")
    parser.add_argument("--plans", nargs="+", help="files (benchmarks/study/plans)")
    parser.add_argument("--update-docs", action="store_true")
    options = parser.parse_args()
    plans = [Plan(file) for file in options.plans or sorted(PLANS.glob("*.toml"))]
    lines = {} if options.out else read_results(KEPT)
    for folder in options.out:
        lines |= read_results(Path(folder) / "results.jsonl")
    if options.update_docs:
        update_docs(plans, lines)
        return
    for plan in plans:
        for name, text in tables(plan, lines).items():
            print(f"## {name}\n\n{text}")


if __name__ == "__main__":
    try:
        main()
    except PlanError as error:
        sys.exit(f"study: {error}")
