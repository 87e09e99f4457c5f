"""Plans of studies: which settings train on which logs, under which protocol, with which seeds.

A plan is a TOML file:

    title = "..."
    [defaults]                    # of every setting
    model = "caser"
    logs = ["films"]
    protocol = "next-item"
    seeds = [1, 2, 3]
    minutes = 2.0                 # a guess for one run on a log of scale 1; orders the runs

    [log.films]
    data = ["ml-1m/ml-1m.inter"]  # under RECLOOM_DATA_DIR, packed (.gz) or not; several are one log
    recipe = "..."                # optional
    set = ["data.user_interval=[5,inf)"]
    files = { "split.test_file" = "test.txt" }   # settings that are files beside the first of data
    scale = 1.0

    [protocol.next-item]
    set = ["eval.topk=[10]"]
    also = ["other"]              # protocols by which the finished model is evaluated too

    [[setting]]                   # base: the setting whose fields and set are taken over
    name = "..."
    group = "..."                 # by which tables find it
    preset = "..."
    set = ["train.loss=CE"]       # goes over log and protocol; of one key the last counts
    published = { films = { map = 0.1507 } }   # of a log, shown beside

    [[vary]]                      # a setting for each value, named "BASE KEY=VALUE"
    base = "..."
    key = "data.max_length"
    values = [5, 10]
    set = ["..."]                 # optional, for all of them

    [[table]] and [[plot]]: see report.py
"""
import hashlib
import json
import os
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

PLANS = Path(__file__).resolve().parent / "plans"
INHERITED = ("model", "preset", "logs", "protocol", "seeds", "minutes", "group", "notes")
KNOWN = {
    "": {"title", "defaults", "log", "protocol", "setting", "vary", "table", "plot"},
    "setting": {*INHERITED, "name", "base", "set", "published"},
    "vary": {*INHERITED, "base", "key", "values", "set"},
    "log": {"data", "recipe", "set", "files", "scale", "title"},
    "protocol": {"set", "also"},
}


class PlanError(Exception):
    """One line for the person who wrote the plan or started it."""


@dataclass(frozen=True)
class Setting:
    name: str
    model: str = "caser"
    preset: str = ""
    logs: tuple = ()
    protocol: str = ""
    seeds: tuple = (1,)
    minutes: float = 1.0
    group: str = ""
    notes: str = ""
    settings: tuple = ()  # "key=value"
    published: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One training: a setting on a log with a seed."""

    plan: str
    setting: Setting
    log: str
    seed: int
    settings: tuple  # those of protocol, log and setting, each key once
    source: dict  # the log's table of the plan
    minutes: float

    def key(self):
        """The same for all runs that must end in the same bytes, whatever they are called."""
        facts = [self.setting.model, self.setting.preset, self.setting.protocol, self.seed]
        facts += [sorted(self.settings)]
        facts += [self.source.get(name) for name in ("data", "recipe", "files")]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    def label(self):
        return f"{self.setting.name}, {self.log}, seed {self.seed}"


def merged(*lists):
    """Settings "key=value" one after the other; of one key the last counts."""
    found = {}
    for text in (text for each in lists for text in each):
        key, equals, _ = text.partition("=")
        if not equals:
            raise PlanError(f"set: '{text}' is not KEY=VALUE")
        found[key.strip()] = text
    return tuple(found.values())


def value_text(value):
    return value if isinstance(value, str) else json.dumps(value)


def located(folder, name):
    """A file of the data folder, as it is named or packed."""
    for candidate in (folder / name, folder / f"{name}.gz", folder / f"{name}.zst"):
        if candidate.exists():
            return candidate
    raise PlanError(f"no {name}[.gz|.zst] in {folder}: set RECLOOM_DATA_DIR to where logs lie")


def data_folder():
    folder = os.environ.get("RECLOOM_DATA_DIR")
    if not folder:
        raise PlanError("RECLOOM_DATA_DIR is not set: it names the folder where logs lie")
    return Path(folder)


class Plan:
    def __init__(self, file):
        self.file, self.name = Path(file), Path(file).stem
        try:
            self.content = tomllib.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise PlanError(f"{file}: {error}") from error
        self.check_keys()
        self.logs = self.content.get("log", {})
        self.protocols = self.content.get("protocol", {})
        self.settings = {}
        for entry in self.content.get("setting", []):
            self.add(entry, entry.get("name"))
        for entry in self.content.get("vary", []):
            self.add_varied(entry)

    # ---- reading ---------------------------------------------------------------------------------

    def fail(self, text):
        raise PlanError(f"{self.file}: {text}")

    def check_keys(self):
        tables = [("", self.content)]
        for kind in ("setting", "vary"):
            tables += [(kind, entry) for entry in self.content.get(kind, [])]
        for kind in ("log", "protocol"):
            tables += [(kind, entry) for entry in self.content.get(kind, {}).values()]
        for kind, table in tables:
            if unknown := sorted(set(table) - KNOWN[kind]):
                legal = ", ".join(sorted(KNOWN[kind]))
                self.fail(f"[{kind or 'top'}] has no '{unknown[0]}'; legal: {legal}")

    def add(self, entry, name):
        if not name:
            self.fail("a setting has no name")
        if name in self.settings:
            self.fail(f"two settings are named '{name}'")
        base = self.base_of(entry)
        own = {key: entry[key] for key in INHERITED if key in entry}
        for key in ("logs", "seeds"):
            if key in own:
                own[key] = tuple(own[key])
        self.settings[name] = replace(
            base,
            **own,
            name=name,
            settings=merged(base.settings, entry.get("set", [])),
            published=entry.get("published", {}),
        )
        self.check_names(self.settings[name])

    def base_of(self, entry):
        if "base" not in entry:
            defaults = dict(self.content.get("defaults", {}))
            defaults["logs"] = tuple(defaults.get("logs", ()))
            defaults["seeds"] = tuple(defaults.get("seeds", (1,)))
            return Setting(name="", **defaults)
        if entry["base"] not in self.settings:
            self.fail(f"base '{entry['base']}' is no setting that stands before it")
        return self.settings[entry["base"]]

    def add_varied(self, entry):
        for value in entry["values"]:
            one = {key: entry[key] for key in entry if key not in ("key", "values")}
            text = f"{entry['key']}={value_text(value)}"
            one["set"] = [*entry.get("set", []), text]
            self.add(one, f"{entry['base']} {text}")

    def check_names(self, setting):
        for log in setting.logs:
            if log not in self.logs:
                self.fail(f"setting '{setting.name}': no [log.{log}]")
        for protocol in (setting.protocol, *self.also(setting.protocol)):
            if protocol and protocol not in self.protocols:
                self.fail(f"setting '{setting.name}': no [protocol.{protocol}]")

    def also(self, protocol):
        return tuple(self.protocols.get(protocol, {}).get("also", ()))

    # ---- runs ------------------------------------------------------------------------------------

    def runs_of(self, setting, log, seeds=None):
        facts = self.logs[log]
        protocol = self.protocols.get(setting.protocol, {})
        settings = merged(protocol.get("set", []), facts.get("set", []), setting.settings)
        minutes = setting.minutes * facts.get("scale", 1.0)
        return [
            Run(self.name, setting, log, seed, settings, facts, minutes)
            for seed in seeds or setting.seeds
        ]

    def runs(self, only=(), seeds=None):
        """Runs in the order in which they are worth most: first seeds first, then the cheapest.

        only: names of settings, groups or logs, all of them if none is given."""
        for name in only:
            groups = {setting.group for setting in self.settings.values()}
            if name not in (*self.settings, *groups, *self.logs):
                self.fail(f"--only {name}: no setting, group or log has that name")
        found, rank = {}, {}
        for setting in self.settings.values():
            for log in setting.logs:
                if only and not {setting.name, setting.group, log} & set(only):
                    continue
                for place, run in enumerate(self.runs_of(setting, log, seeds)):
                    found.setdefault(run.key(), run)
                    rank.setdefault(run.key(), (place, run.minutes))
        return sorted(found.values(), key=lambda run: rank[run.key()])

    def source(self, log):
        """Arguments that name a log and say how it is read."""
        facts, folder = self.logs[log], data_folder()
        data = [located(folder, name) for name in facts["data"]]
        arguments = [str(file) for file in data]
        if "recipe" in facts:
            arguments += ["--recipe", facts["recipe"]]
        return arguments

    def file_settings(self, log):
        facts = self.logs[log]
        beside = located(data_folder(), facts["data"][0]).parent
        files = facts.get("files", {})
        return [f"{key}={located(beside, name).name}" for key, name in files.items()]

    def arguments(self, run):
        """What recloom is called with, without folder and threads."""
        arguments = ["train", *self.source(run.log), "--model", run.setting.model]
        if run.setting.preset:
            arguments += ["--preset", run.setting.preset]
        for text in (*run.settings, *self.file_settings(run.log)):
            arguments += ["--set", text]
        return arguments + ["--seed", str(run.seed), "--json"]
