"""Shows what was measured: as a table for people, as Markdown, as JSON."""

HEADINGS = ("figure", "recloom", "", "of peak", "RecBole", "ratio", "1 -> n threads")


def number(value):
    """Three digits or more, thousands grouped."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(figure):
    if "ratio" not in figure:
        return ""
    if not figure["peer"]["spoiled"]:
        return f"{number(figure['ratio'])}x"
    if "ratio_one_thread" in figure:
        return f"{number(figure['ratio_one_thread'])}x (1 thread)"
    return f"({number(figure['ratio'])}x, spoiled)"


def peer(figure):
    if "peer" not in figure:
        return ""
    text = number(figure["peer"]["value"])
    if "name" in figure["peer"]:
        text += f" ({figure['peer']['name']})"
    return f"{text} *" if figure["peer"]["spoiled"] else text


def cells(figure):
    return (
        figure["label"],
        number(figure["value"]),
        figure["unit"],
        f"{100 * figure['share']:.0f}%" if "share" in figure else "",
        peer(figure),
        ratio(figure),
        f"{figure['threads_ratio']:.2f}x" if "threads_ratio" in figure else "",
    )


def used_columns(rows):
    """Columns in which some row says something."""
    return [c for c in range(len(HEADINGS)) if any(row[c] for row in rows)]


def machine_line(machine):
    return (
        f"{machine['cpu']}, {machine['threads']} threads: {machine['flops'] / 1e9:.0f} GFLOP/s, "
        f"one {machine['flops_one'] / 1e9:.0f}; memory {machine['memory_bytes'] / 1e9:.0f} GB/s"
    )


def notes(result):
    lines = []
    busy = [f["busy"] for f in result["figures"] if "busy" in f and "share" in f]
    if busy and min(busy) < 0.8:
        lines.append(
            f"The machine was not quiet: recloom had {100 * min(busy):.0f}% of its threads' time "
            "in one of the figures."
        )
    if any(f.get("peer", {}).get("spoiled") for f in result["figures"]):
        lines.append(
            "* spoiled: the peer's processor time does not fit its threads. The ratio is that of "
            "rows per processor second, one thread each; one in brackets is no result."
        )
    return lines


def text(result):
    rows = [cells(figure) for figure in result["figures"]]
    columns = used_columns(rows)
    table = [HEADINGS, *rows]
    widths = [max(len(row[c]) for row in table) for c in columns]
    lines = [machine_line(result["machine"]), ""]
    for row in table:
        line = ""
        for column, width in zip(columns, widths):
            left = column in (0, 2)
            line += (row[column].ljust(width) if left else row[column].rjust(width)) + "  "
        lines.append(line.rstrip())
    lines += ["", *notes(result)]
    return "\n".join(lines).rstrip() + "\n"


def markdown_table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def markdown(result):
    rows = [cells(figure) for figure in result["figures"]]
    columns = used_columns(rows)
    table = markdown_table(
        [HEADINGS[c] for c in columns], [[row[c] for c in columns] for row in rows]
    )
    head = f"Measured on {machine_line(result['machine'])}.\n\n"
    tail = "".join(f"\n{line}\n" for line in notes(result))
    return head + table + tail


def markdown_shares(shares, peak):
    """Part by part: what it needs, what it takes, how fast it is. One thread."""
    blocks = []
    for one in shares:
        per_row = one["seconds_per_row"]
        rows = []
        for part, share in one["shares"].items():
            operations = sum(n for name, n in one["operations"].items() if name.startswith(part))
            rate = operations / (share * per_row) if operations and share else 0
            rows.append(
                (
                    part,
                    f"{operations / 1e3:,.0f}" if operations else "",
                    f"{1e6 * share * per_row:.2f}",
                    f"{100 * share:.0f}%",
                    f"{rate / 1e9:.1f}" if rate else "",
                    f"{100 * rate / peak:.0f}%" if rate else "",
                )
            )
        total = sum(one["operations"].values())
        rows.append(
            (
                "**all**",
                f"{total / 1e3:,.0f}",
                f"{1e6 * per_row:.2f}",
                "",
                f"{total / per_row / 1e9:.1f}",
                f"{100 * total / per_row / peak:.0f}%",
            )
        )
        headings = ("part", "kFLOP a row", "us a row", "share", "GFLOP/s", "of peak")
        blocks.append(
            f"**{one['name']}**, {one['shape']['distinct']:,} distinct items in a batch; at the "
            f"peak of one core the arithmetic alone would allow {peak / total:,.0f} rows/s:\n\n"
            + markdown_table(headings, rows)
        )
    return "\n".join(blocks)


def replace_block(page, name, content):
    """Puts content between the comments that begin and end a block of a page."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{content.rstrip()}\n{end}{after}"
