"""Checks what the chart renders. Called by deploy/helm/check, which brings helm and the Python packages.

    python3 checks [--helm PROGRAM] [--compose-schema FILE] [--promtool PROGRAM] [--write-readme]
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import mutations
import project
import readme
import rendered

HELM = project.ROOT / "deploy/helm"
CHART = HELM / "souk"
# The oldest version of Kubernetes whose schemas the package has, and the newest.
KUBERNETES = ("1.32", "1.37")

# What the chart refuses: values beside those of ci/defaults.yaml, and a part of the sentence.
REFUSED = [
    ("databases: {existingSecret: ''}", "name the secret with the addresses"),
    ("kafka: {brokers: ''}", "name the bootstrap servers"),
    ("adminKey: {existingSecret: ''}", "operations are for staff"),
    ("image: {tag: latest}", "tag"),
    ("replicas: 3", "replicas"),
    ("writeApi: {idempotencyKeyHours: 1}", "idempotencyKeyHours"),
    ("writeApi: {resources: {limits: {memory: null}}}", "memory"),
    ("networkPolicy: {writeApiFrom: []}", "writeApiFrom"),
    ("projector: {workloads: {more: {roles: [index], replicas: 1, resources: {}}}}", "roles"),
    ("retention: {outboxDays: 30}", "archive.enabled"),
    ("archive: {enabled: true}\nprojector: {workloads: {relay: {replicas: 2}}}", "archive.existingClaim"),
    ("embedding: {enabled: false}", "needs embedding.enabled"),
]


class Report:
    """Counts what held, and tells what did not."""

    def __init__(self):
        self.passed = self.failed = 0

    def note(self, name, faults):
        faults = list(faults)
        if faults:
            self.failed += 1
            print(f"FAILED {name}\n  " + "\n  ".join(faults))
        else:
            self.passed += 1


def template(helm, *files, release="souk"):
    """Renders the chart; gives the objects, or the sentence with which it refused."""
    values = [argument for file in files for argument in ("--values", str(file))]
    # It says each time that files/alerts.yml is a link, which it is so that there is one list of alerts.
    command = [helm, "template", release, str(CHART), "--namespace", "shop", "--kube-version", KUBERNETES[1], *values]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return None, "\n".join(line for line in done.stderr.splitlines() if "symbolic link" not in line)
    return rendered.Objects(yaml.safe_load_all(done.stdout)), ""


def against_schemas(objects):
    import kubernetes_validate

    for one in objects.all:
        # The Prometheus operator's objects are none of Kubernetes' own.
        if one["apiVersion"].startswith("monitoring.coreos.com"):
            continue
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{one['kind']} {one['metadata']['name']} in Kubernetes {version}: {error.message}"


def refusals(helm):
    for values, sentence in REFUSED:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(values)
            file.flush()
            objects, error = template(helm, HELM / "ci/defaults.yaml", file.name)
            if objects is not None:
                yield f"{values!r} is not refused"
            elif sentence not in error:
                yield f"{values!r} is refused without {sentence!r}: {error.strip()}"


def alerts_are_all_there(objects):
    wanted = yaml.safe_load((project.ROOT / "deploy/prometheus/alerts.yml").read_text())
    names = lambda groups: [rule["alert"] for group in groups for rule in group["rules"]]
    found = names(objects.of("PrometheusRule")[0]["spec"]["groups"])
    if names(wanted["groups"]) != found:
        yield f"the alerts are {found}"


def rules_are_right(objects, promtool):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": objects.of("PrometheusRule")[0]["spec"]["groups"]}, file)
        file.flush()
        done = subprocess.run([promtool, "check", "rules", file.name], capture_output=True, text=True)
        if done.returncode:
            yield done.stderr.strip() or done.stdout.strip()


def chart_is_of_this_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    if chart["appVersion"] != project.version():
        yield f"appVersion is {chart['appVersion']}, souk is {project.version()}"


def compose_environment(compose):
    """The settings of docker-compose.yml are known to the programs as well."""
    for name, service in compose["services"].items():
        words = service.get("command")
        if not isinstance(words, list) or words[0] not in project.SETTINGS:
            continue
        known = project.settings(words[0])
        for variable in service.get("environment", {}):
            if variable.startswith("SOUK_") and variable not in known:
                yield f"{name}: {words[0]} does not read {variable}"


def compose_schema(compose, file):
    import jsonschema

    schema = json.loads(Path(file).read_text())
    validator = jsonschema.Draft7Validator(schema)
    for error in validator.iter_errors(compose):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message}"


def chart(report, options):
    lint = subprocess.run([options.helm, "lint", "--strict", str(CHART), "--values", str(HELM / "ci/defaults.yaml")],
                          capture_output=True, text=True)
    report.note("helm lint", [lint.stdout + lint.stderr] if lint.returncode else [])
    for file in sorted((HELM / "ci").glob("*.yaml")):
        for release in ("souk", "a-release-with-a-name-as-long-as-helm-allows-them-53a"):
            objects, error = template(options.helm, file, release=release)
            report.note(f"{file.stem}: rendered", [error] if objects is None else [])
            if objects is None:
                continue
            report.note(f"{file.stem}: schemas of Kubernetes", against_schemas(objects))
            for check in rendered.CHECKS:
                report.note(f"{file.stem}: {check.__name__}", check(objects))
    everything, _ = template(options.helm, HELM / "ci/production.yaml")
    report.note("checks can fail", mutations.unnoticed(everything, rendered.CHECKS))
    report.note("alerts", alerts_are_all_there(everything))
    if options.promtool:
        report.note("promtool", rules_are_right(everything, options.promtool))
    report.note("what is refused", refusals(options.helm))


def main():
    parser = argparse.ArgumentParser(description="Checks what the chart renders")
    parser.add_argument("--helm", help="the program; without it nothing is rendered")
    parser.add_argument("--promtool", help="the program; without it the rules are not checked by it")
    parser.add_argument("--compose-schema", help="the schema of the Compose specification")
    parser.add_argument("--write-readme", action="store_true", help="write the table of values into the chart's README")
    options = parser.parse_args()
    if options.write_readme:
        return readme.write(CHART)
    report = Report()
    report.note("version", chart_is_of_this_version())
    report.note("values and their descriptions", readme.faults(CHART))
    compose = yaml.safe_load((project.ROOT / "docker-compose.yml").read_text())
    report.note("docker-compose.yml: settings", compose_environment(compose))
    if options.compose_schema:
        report.note("docker-compose.yml: schema", compose_schema(compose, options.compose_schema))
    if options.helm:
        chart(report, options)
    print(f"chart: {report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


sys.exit(main())
