"""Runs what the chart renders, without a cluster: each container as a process of user 10001 without capabilities, in a
mount namespace with a read-only root and its volumes, with its own command and environment.

PostgreSQL and the broker are those of a stack of its own. Needs root. What it shows: every pod becomes ready, a write is
found through the services, each node has its copy, and searches go on without the broker.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

HELM = Path(__file__).resolve().parents[1]
PATIENCE = 180
# Where the image keeps its folders; mount points that have to be there.
HOME = Path("/var/lib/souk")
VALUES = "embedding: {enabled: false}\nprojector: {workloads: {embed: {enabled: false}}}\n"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def status(url):
    try:
        return urllib.request.urlopen(url, timeout=3).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"FAILED {what} within {PATIENCE} s")
        time.sleep(0.5)
    print(f"{what}: yes")


class Stack:
    """PostgreSQL and the broker of `souk up`; its other processes are ended, for the chart's take their place."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        names = ["WRITE_LISTEN", "QUERY_LISTEN", "PROJECTOR_LISTEN", "EMBED_LISTEN", "OPERATIONS_LISTEN", "BROKER_LISTEN"]
        self.settings = {f"SOUK_{name}": f"127.0.0.1:{free_port()}" for name in names}
        self.settings |= {"SOUK_DATA_DIR": str(folder / "data"), "SOUK_POSTGRES_PORT": str(free_port()), "SOUK_WITHOUT_VECTORS": "true"}
        self.souk("up")
        for name in ("reindex", "query-api", "projector", "write-api"):
            self.end(name)

    def souk(self, *arguments):
        subprocess.run([self.programs / "souk", *arguments], env=os.environ | self.settings, check=True, stdout=subprocess.DEVNULL)

    def end(self, name):
        os.kill(json.loads((self.folder / f"data/run/{name}.json").read_text())["pid"], signal.SIGTERM)

    def address(self, login, database):
        lines = (self.folder / "data/pgpass").read_text().splitlines()
        password = next(line.split(":")[4] for line in lines if line.split(":")[3] == login)
        return f"postgres://{login}:{password}@127.0.0.1:{self.settings['SOUK_POSTGRES_PORT']}/{database}"


class Pods:
    """The pods that the chart renders, as processes."""

    def __init__(self, documents, stack, folder):
        self.stack, self.folder, self.running, self.ports = stack, folder, [], {}
        self.secrets = {
            f"{key}-{side}-url": stack.address(login, f"souk_{side}") for side in ("write", "read") for key, login in (
                ("owner", "souk"), ("write-api", "souk_write"), ("projector", "souk_projector"), ("reindex", "souk_reindex"),
                ("query-api", "souk_query"))} | {"admin-key": "rehearsal-rehearsal"}
        self.services = {}
        kinds = ("Deployment", "StatefulSet", "Job")
        self.pods = [
            (one, f"{one['metadata']['name']}-{number}", one["spec"]["template"]["spec"])
            for one in documents if one and one["kind"] in kinds for number in range(one["spec"].get("replicas", 1))]
        for one, pod, spec in self.pods:
            for port in (port for container in spec["containers"] for port in container.get("ports", [])):
                self.ports[pod, port["containerPort"]] = free_port()
                address = f"http://{one['metadata']['name']}:{port['containerPort']}"
                self.services.setdefault(address, f"http://127.0.0.1:{self.ports[pod, port['containerPort']]}")

    def environment(self, pod, container):
        settings = {"PATH": f"{self.stack.programs}:/usr/bin:/bin:/usr/sbin:/sbin", "SOUK_INDEX_DIR": str(HOME / "index")}
        for one in container["env"]:
            source = one.get("valueFrom", {})
            value = one.get("value") or (self.secrets[source["secretKeyRef"]["key"]] if "secretKeyRef" in source else pod)
            if value.startswith("0.0.0.0:"):
                value = f"127.0.0.1:{self.ports[pod, int(value.split(':')[1])]}"
            settings[one["name"]] = self.services.get(value, value)
        own = {"SOUK_KAFKA_BROKERS": self.stack.settings["SOUK_BROKER_LISTEN"], "SOUK_KAFKA_REPLICATION": "1"}
        return settings | {name: value for name, value in own.items() if name in settings}

    def start(self, pod, container):
        mounts = ["mount --make-rprivate /", "mount -t tmpfs -o mode=1777 tmpfs /tmp"]
        for mount in (mount for mount in container["volumeMounts"] if mount["mountPath"] != "/tmp"):
            volume = self.folder / "volumes" / pod / mount["name"]
            volume.mkdir(parents=True, exist_ok=True)
            os.chown(volume, 0, 10001)
            volume.chmod(0o2775)
            mounts.insert(1, f"mount --bind {volume} {mount['mountPath']}")
        mounts.append("mount -o remount,bind,ro /")
        user = "setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set -all --inh-caps -all"
        script = f"{' && '.join(mounts)} && cd {HOME} && exec {user} {' '.join(container['command'])}"
        with open(self.folder / f"{pod}-{container['name']}.log", "w") as log:
            return subprocess.Popen(["unshare", "--mount", "sh", "-c", script], env=self.environment(pod, container), stdout=log, stderr=log)

    def run(self):
        for _, pod, spec in self.pods:
            for container in spec["containers"]:
                process = self.start(pod, container)
                if spec.get("restartPolicy") == "Never":
                    until(f"{pod} has ended well", lambda: process.wait() == 0)
                else:
                    self.running.append((pod, container, process))

    def answers(self, probe, only=""):
        """Whether every container that has the probe passes it."""
        for pod, container, process in self.running:
            if process.poll() is not None:
                raise SystemExit(f"FAILED {pod}/{container['name']} has ended")
            if probe in container and only in container["name"]:
                port = self.ports[pod, container["ports"][0]["containerPort"]]
                if status(f"http://127.0.0.1:{port}{container[probe]['httpGet']['path']}") != 200:
                    return False
        return True

    def reindex(self, *arguments):
        """A command in the operations' container."""
        pod, container, _ = next(one for one in self.running if one[1]["name"] == "reindex")
        done = subprocess.run(["reindex", *arguments], env=self.environment(pod, container), capture_output=True, text=True)
        return done.returncode == 0, done.stdout

    def copies(self):
        _, text = self.reindex("status", "--json")
        return text.count('"live"') and all(pod in text for pod, container, _ in self.running if container["name"] == "index-writer")

    def end(self):
        for _, _, process in self.running:
            process.terminate()
        for _, _, process in self.running:
            process.wait()


def rendered(helm, folder):
    (folder / "values.yaml").write_text(VALUES)
    values = [argument for file in (HELM / "ci/defaults.yaml", folder / "values.yaml") for argument in ("--values", file)]
    command = [helm, "template", "souk", HELM / "souk", "--kube-version", "1.34.0", *values]
    return list(yaml.safe_load_all(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def rehearse(programs, folder):
    documents = rendered("helm", folder)
    # The jobs before all others, as their hook has it.
    documents.sort(key=lambda one: one["kind"] != "Job" if one else True)
    made = [path for path in (HOME, HOME / "index", HOME / "archive") if not path.exists()]
    for path in made:
        path.mkdir()
    stack = Stack(programs, folder)
    pods = Pods(documents, stack, folder)
    try:
        pods.run()
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            until(f"every {probe} passes", lambda: pods.answers(probe))
        until("a write is found through the services", lambda: pods.reindex("probe", "--rounds", "3")[0])
        until("every node has its copy", pods.copies)
        stack.end("broker")
        writer = next(one for one in pods.running if one[1]["name"] == "index-writer")
        ready = f"http://127.0.0.1:{pods.ports[writer[0], 8082]}/health/ready"
        until("the broker is away, and index writers say so", lambda: status(ready) == 503)
        until("query-api is ready without it, and nobody would be restarted",
              lambda: pods.answers("readinessProbe", only="query-api") and pods.answers("livenessProbe"))
    finally:
        pods.end()
        stack.souk("down")
        for path in reversed(made):
            path.rmdir()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="souk-rehearsal-", dir=os.environ.get("SOUK_REHEARSAL_DIR")) as place:
        os.chmod(place, 0o755)
        os.environ["PATH"] = f"{sys.argv[1]}:{os.environ['PATH']}"
        rehearse(Path(sys.argv[1]).resolve(), Path(place))
