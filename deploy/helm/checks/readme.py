"""The chart's README lists every value with its default and meaning, out of values.yaml and values.schema.json."""

import json

import yaml

BEGIN, END = "<!-- values: written by deploy/helm/check --write-readme -->", "<!-- end of values -->"


def resolved(schema, part):
    if "$ref" not in part:
        return part
    target = schema
    for key in part["$ref"].removeprefix("#/").split("/"):
        target = target[key]
    return {**target, **{key: value for key, value in part.items() if key != "$ref"}}


def described(schema, part, path=()):
    """Every value with a description of its own, by its path; workloads stand for each of theirs."""
    part = resolved(schema, part)
    properties = part.get("properties", {})
    if path and (not properties or path[-1] == "resources" or path[-1] == "scheduling"):
        yield path, part
        return
    for key, inner in properties.items():
        yield from described(schema, inner, (*path, key))
    if not properties or path == ("projector", "workloads"):
        return


def rows(chart):
    schema = json.loads((chart / "values.schema.json").read_text())
    values = yaml.safe_load((chart / "values.yaml").read_text())
    for path, part in described(schema, schema):
        if path == ("global",):
            continue
        if path == ("projector", "workloads"):
            workload = resolved(schema, {"$ref": "#/$defs/workload"})
            for inner, of in described(schema, workload):
                defaults = [default(one, inner) for one in values["projector"]["workloads"].values()]
                own = ", ".join(dict.fromkeys(one for one in defaults if one))
                yield (*path, "NAME", *inner), own, of["description"]
            continue
        yield path, default(values, path), part["description"]


def default(values, path):
    """The default as JSON; empty if values.yaml has none."""
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return ""
        values = values[key]
    return f"`{json.dumps(values)}`"


def table(chart):
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for path, shown, meaning in rows(chart):
        lines.append(f"| `{'.'.join(path)}` | {shown} | {meaning} |")
    return "\n".join(lines)


def leaves(values, path=()):
    if isinstance(values, dict) and values:
        for key, inner in values.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path


def faults(chart):
    found = list(rows(chart))
    known = [path for path, _, _ in found]
    for path in leaves(yaml.safe_load((chart / "values.yaml").read_text())):
        if path[:2] == ("projector", "workloads"):
            path = (*path[:2], "NAME", *path[3:])
        if not any(path[: len(one)] == one for one in known):
            yield f"values.schema.json does not describe {'.'.join(path)}"
    for path, shown, _ in found:
        if not shown:
            yield f"values.yaml has no {'.'.join(path)}"
    text = (chart / "README.md").read_text()
    if text.partition(BEGIN)[2].partition(END)[0].strip() != table(chart):
        yield "the values in README.md are not those of values.yaml: deploy/helm/check --write-readme"


def write(chart):
    file = chart / "README.md"
    before, _, rest = file.read_text().partition(BEGIN)
    file.write_text(f"{before}{BEGIN}\n{table(chart)}\n{END}{rest.partition(END)[2]}")
    return 0
