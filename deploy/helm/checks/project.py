"""What the programs know, read from their sources: so that no manifest names what is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# The crates in whose sources the settings of each program are.
SETTINGS = {
    "write-api": ["write-api/src", "service/src"],
    "query-api": ["query-api/src", "service/src"],
    "projector": ["projector/src", "service/src"],
    "reindex": ["reindex/src", "service/src"],
    "souk": ["launcher/src"],
}
# Where the commands of a program are named.
COMMANDS = {"reindex": "reindex/src/cli.rs", "souk": "launcher/src/main.rs"}
METRICS = ["projector/src", "query-api/src", "write-api/src", "reindex/src", "service/src", "eventlog/src"]


def sources(folders):
    return "\n".join(
        file.read_text() for folder in folders for file in sorted((ROOT / folder).rglob("*.rs")))


def settings(program):
    """The environment variables that a program reads."""
    return set(re.findall(r'env = "([A-Z0-9_]+)"', sources(SETTINGS[program])))


def is_command(program, word):
    """Whether a program has a command: a variant of the enum of its commands."""
    variant = "".join(part.capitalize() for part in word.split("-"))
    return re.search(rf"^    {variant}(\(|,)", (ROOT / COMMANDS[program]).read_text(), re.M) is not None


def roles():
    """The roles of a projector."""
    body = re.search(r"pub enum Role \{(.*?)\n\}", (ROOT / "projector/src/config.rs").read_text(), re.S).group(1)
    return {name.lower() for name in re.findall(r"^    ([A-Z]\w+),", body, re.M)}


def health_paths():
    """The paths under which a process tells of its health."""
    return set(re.findall(r'"(/health/\w+)"', (ROOT / "service/src/health.rs").read_text()))


def metrics():
    """The names of all metrics, without the endings that say what kind they are."""
    named = re.findall(r'(?:register|encode_descriptor)\(\s*"([a-z_]+)"', sources(METRICS))
    return {f"souk_{name}" for name in named} | {"souk_process_cpu_seconds"}


def is_metric(name):
    plain = re.sub(r"_(total|bucket|sum|count)$", "", name)
    return name in metrics() or plain in metrics()


def image_environment():
    """What the image sets for every program in it."""
    text = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")
    return dict(pair.split("=", 1) for line in re.findall(r"^ENV (.*)$", text, re.M) for pair in line.split())


def version():
    """The version of souk."""
    return re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
