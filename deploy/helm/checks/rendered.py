"""What has to hold for the objects that the chart renders. Every check gives sentences; none means that it holds."""

import re

import project

CHECKS = []
PODS = ("Deployment", "StatefulSet", "Job")
WRITABLE = ("/tmp", "/var/lib/souk/index", "/var/lib/souk/archive")


def check(function):
    CHECKS.append(function)
    return function


class Objects:
    """The rendered objects of a release."""

    def __init__(self, documents):
        self.all = [document for document in documents if document]

    def of(self, *kinds):
        return [one for one in self.all if one["kind"] in kinds]

    def named(self, kind, name):
        return next((one for one in self.of(kind) if one["metadata"]["name"] == name), None)

    def workloads(self):
        """Name and pod template of everything that runs pods."""
        return [(one["metadata"]["name"], one["spec"]["template"]) for one in self.of(*PODS)]

    def containers(self):
        for name, template in self.workloads():
            for container in template["spec"].get("initContainers", []) + template["spec"]["containers"]:
                yield f"{name}/{container['name']}", container, template["spec"]

    def selected(self, selector):
        """The workloads whose pods a selector finds."""
        return [name for name, template in self.workloads() if matches(selector, template["metadata"]["labels"])]


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.items())


def environment(container):
    return {one["name"]: one for one in container.get("env", [])}


def program(container):
    return container["command"][0]


def ports(container):
    return {port["name"]: port["containerPort"] for port in container.get("ports", [])}


@check
def environment_is_known(objects):
    for name, container, _ in objects.containers():
        known = project.settings(program(container))
        for variable in environment(container):
            if variable.startswith("SOUK_") and variable not in known:
                yield f"{name}: {program(container)} does not read {variable}"
        doubled = [one["name"] for one in container.get("env", [])]
        for variable in {one for one in doubled if doubled.count(one) > 1}:
            yield f"{name}: {variable} is set twice"


@check
def commands_are_known(objects):
    for name, container, _ in objects.containers():
        words = container["command"]
        if words[0] not in project.SETTINGS:
            yield f"{name}: there is no program {words[0]}"
        elif len(words) > 1 and words[0] in project.COMMANDS and not project.is_command(*words[:2]):
            yield f"{name}: {words[0]} has no command {words[1]}"


@check
def roles_are_known_and_all_there(objects):
    found = set()
    for name, container, _ in objects.containers():
        if program(container) == "projector":
            own = set(container["command"][container["command"].index("--roles") + 1].split(","))
            found |= own
            yield from (f"{name}: there is no role {role}" for role in own - project.roles())
    embeds = any("SOUK_MODEL_DIR" in environment(container) for _, container, _ in objects.containers())
    needed = project.roles() - (set() if embeds else {"embed"})
    yield from (f"nobody has the role {role}" for role in needed - found)


@check
def secrets_come_from_secrets(objects):
    for name, container, _ in objects.containers():
        for variable, one in environment(container).items():
            secret = variable.endswith("_DATABASE_URL") or variable == "SOUK_ADMIN_KEY"
            if secret and "secretKeyRef" not in one.get("valueFrom", {}):
                yield f"{name}: {variable} is no reference to a secret"


@check
def nobody_has_more_databases_than_needed(objects):
    for name, container, _ in objects.containers():
        held = {variable for variable in environment(container) if variable.endswith("_DATABASE_URL")}
        relays = program(container) == "projector" and "relay" in container["command"][2]
        may_write = relays or program(container) in ("write-api", "reindex", "souk")
        if not held:
            yield f"{name} has no database"
        if "SOUK_WRITE_DATABASE_URL" in held and not may_write:
            yield f"{name} has the address of the write database and does not need it"
        if program(container) == "query-api" and held != {"SOUK_QUERY_DATABASE_URL"}:
            yield f"{name} has another database than that of its own role"


@check
def processes_listen_where_they_are_asked(objects):
    for name, container, _ in objects.containers():
        listens = [one["value"] for variable, one in environment(container).items() if variable.endswith("_LISTEN")]
        expected = [f"0.0.0.0:{port}" for port in ports(container).values()]
        if sorted(listens) != sorted(expected):
            yield f"{name} listens on {listens} and its ports are {expected}"


@check
def probes_ask_what_is_there(objects):
    for name, container, _ in objects.containers():
        if program(container) == "souk":
            continue
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe not in container:
                # Searches go on while Kafka is away, and the index writer is not ready.
                if not (probe == "readinessProbe" and container["name"] == "index-writer"):
                    yield f"{name} has no {probe}"
                continue
            asked = container[probe]["httpGet"]
            if asked["path"] not in project.health_paths():
                yield f"{name}: {probe} asks {asked['path']}, which is not there"
            if asked["port"] not in ports(container):
                yield f"{name}: {probe} asks the port {asked['port']}, which is not there"


@check
def restarts_depend_on_no_other_server(objects):
    for name, container, _ in objects.containers():
        for probe in ("startupProbe", "livenessProbe"):
            path = container.get(probe, {}).get("httpGet", {}).get("path", "/health/live")
            if path != "/health/live":
                yield f"{name}: {probe} asks {path}: it would be restarted while PostgreSQL or Kafka is away"


@check
def the_index_writer_has_no_readiness(objects):
    for name, container, _ in objects.containers():
        if container["name"] == "index-writer" and "readinessProbe" in container:
            yield f"{name} has a readiness probe: no search would be answered while Kafka is away"


@check
def containers_are_confined(objects):
    for name, container, pod in objects.containers():
        own, of_pod = container.get("securityContext", {}), pod.get("securityContext", {})
        wanted = [
            (own.get("allowPrivilegeEscalation") is False, "may escalate privileges"),
            (own.get("readOnlyRootFilesystem") is True, "can write to its root file system"),
            (own.get("capabilities", {}).get("drop") == ["ALL"], "keeps capabilities"),
            (own.get("runAsNonRoot") is True and of_pod.get("runAsNonRoot") is True, "may run as root"),
            (of_pod.get("seccompProfile", {}).get("type") == "RuntimeDefault", "has no seccomp profile"),
            (pod.get("automountServiceAccountToken") is False, "gets a token of the cluster"),
            (not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")), "shares a namespace of its machine"),
        ]
        yield from (f"{name} {what}" for holds, what in wanted if not holds)


@check
def containers_have_resources(objects):
    for name, container, _ in objects.containers():
        resources = container.get("resources", {})
        for kind, amount in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
            if amount not in (resources.get(kind) or {}):
                yield f"{name} has no {kind}.{amount}"


@check
def images_are_pinned(objects):
    images = {container["image"] for _, container, _ in objects.containers()}
    if len(images) != 1:
        yield f"there are several images: {sorted(images)}"
    for image in images:
        tag = image.rsplit("/", 1)[-1]
        if not re.fullmatch(r"[^:@]+(:[^:@]+|@sha256:[0-9a-f]{64})", tag) or tag.endswith(":latest"):
            yield f"the image {image} is not pinned"


@check
def mounts_are_there(objects):
    for one in objects.of(*PODS):
        pod = one["spec"]["template"]["spec"]
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
        used = set()
        for container in pod["containers"]:
            for mount in container.get("volumeMounts", []):
                used.add(mount["name"])
                if mount["name"] not in volumes:
                    yield f"{one['metadata']['name']}: there is no volume {mount['name']}"
        yield from (f"{one['metadata']['name']}: nobody mounts {name}" for name in volumes - used)


@check
def folders_that_are_written_are_volumes(objects):
    index = project.image_environment()["SOUK_INDEX_DIR"]
    for name, container, _ in objects.containers():
        mounted = {mount["mountPath"] for mount in container.get("volumeMounts", []) if not mount.get("readOnly")}
        needed = {"/tmp"}
        if program(container) in ("query-api", "reindex") or container["name"] == "index-writer":
            needed.add(index)
        archive = environment(container).get("SOUK_ARCHIVE_DIR")
        needed |= {archive["value"]} if archive else set()
        yield from (f"{name} can't write to {path}" for path in needed - mounted)


@check
def copies_belong_to_their_node(objects):
    for name, template in objects.workloads():
        containers = template["spec"]["containers"]
        writers = [one for one in containers if one["name"] == "index-writer"]
        readers = [one for one in containers if program(one) in ("query-api", "reindex")]
        if readers and not writers:
            yield f"{name}: nobody writes the copy that {readers[0]['name']} reads"
        for container in writers + [one for one in readers if program(one) == "reindex"]:
            node = environment(container).get("SOUK_NODE", {}).get("valueFrom", {}).get("fieldRef", {})
            if node.get("fieldPath") != "metadata.name":
                yield f"{name}/{container['name']} is not called by its pod's name"
        if readers and objects.named("StatefulSet", name) is None:
            yield f"{name} keeps a copy and is no StatefulSet"


@check
def addresses_lead_to_services(objects):
    for name, container, _ in objects.containers():
        for variable, one in environment(container).items():
            found = re.fullmatch(r"http://([a-z0-9-]+):(\d+)", one.get("value", ""))
            if not found:
                continue
            service = objects.named("Service", found.group(1))
            numbers = [port["port"] for port in service["spec"]["ports"]] if service else []
            if int(found.group(2)) not in numbers:
                yield f"{name}: {variable} leads to {one['value']}, and no service is there"


@check
def services_find_their_pods(objects):
    for service in objects.of("Service"):
        name, found = service["metadata"]["name"], objects.selected(service["spec"]["selector"])
        if len(found) != 1:
            yield f"the service {name} finds {found}"
            continue
        template = dict(objects.workloads())[found[0]]
        named = {key: number for one in template["spec"]["containers"] for key, number in ports(one).items()}
        for port in service["spec"]["ports"]:
            if named.get(port["targetPort"]) != port["port"]:
                yield f"the service {name}: its port {port['port']} is not that of {port['targetPort']}"


@check
def selectors_are_those_of_the_pods(objects):
    for one in objects.of("Deployment", "StatefulSet"):
        name, spec = one["metadata"]["name"], one["spec"]
        if not matches(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"]):
            yield f"{name} does not find its own pods"
        if objects.selected(spec["selector"]["matchLabels"]) != [name]:
            yield f"the selector of {name} finds other pods, too"
        if one["kind"] == "StatefulSet" and objects.named("Service", spec["serviceName"]) is None:
            yield f"{name}: there is no service {spec['serviceName']}"
        for spread in spec["template"]["spec"].get("topologySpreadConstraints", []):
            if objects.selected(spread["labelSelector"]["matchLabels"]) != [name]:
                yield f"{name} is spread by other pods than its own"


@check
def every_workload_has_a_budget(objects):
    found = []
    for budget in objects.of("PodDisruptionBudget"):
        selected = objects.selected(budget["spec"]["selector"]["matchLabels"])
        found += selected
        if len(selected) != 1:
            yield f"the budget {budget['metadata']['name']} finds {selected}"
    running = [one["metadata"]["name"] for one in objects.of("Deployment", "StatefulSet")]
    yield from (f"{name} has {found.count(name)} budgets" for name in running if found.count(name) != 1)


@check
def autoscalers_scale_what_is_there(objects):
    for scaler in objects.of("HorizontalPodAutoscaler"):
        name, spec = scaler["metadata"]["name"], scaler["spec"]
        target = objects.named(spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"])
        if target is None:
            yield f"the autoscaler {name} scales nothing"
            continue
        if "replicas" in target["spec"]:
            yield f"the autoscaler {name} and the replicas of its target contradict each other"
        if spec["minReplicas"] > spec["maxReplicas"]:
            yield f"the autoscaler {name} has fewer pods at most than at least"
        names = [container["name"] for container in target["spec"]["template"]["spec"]["containers"]]
        for metric in spec["metrics"]:
            inner = metric[metric["type"][0].lower() + metric["type"][1:]]
            if metric["type"] == "ContainerResource" and inner["container"] not in names:
                yield f"the autoscaler {name} measures {inner['container']}, which is not there"
            if metric["type"] in ("External", "Pods") and not project.is_metric(inner["metric"]["name"]):
                yield f"the autoscaler {name}: no process has the metric {inner['metric']['name']}"


@check
def policies_hold_for_every_pod(objects):
    policies = objects.of("NetworkPolicy")
    if not policies:
        return
    covered = []
    for policy in policies:
        name, selected = policy["metadata"]["name"], objects.selected(policy["spec"]["podSelector"]["matchLabels"])
        covered += selected
        if policy["spec"]["policyTypes"] != ["Ingress", "Egress"]:
            yield f"the policy {name} leaves a direction open"
        if len(selected) != 1:
            yield f"the policy {name} finds {selected}"
            continue
        containers = dict(objects.workloads())[selected[0]]["spec"]["containers"]
        open_ports = {number for one in containers for number in ports(one).values()}
        let_in = {port["port"] for rule in policy["spec"].get("ingress", []) for port in rule["ports"]}
        if let_in - open_ports or open_ports - let_in:
            yield f"the policy {name} lets in {sorted(let_in)}; {selected[0]} listens on {sorted(open_ports)}"
        if any(not rule.get("from") for rule in policy["spec"].get("ingress", [])):
            yield f"the policy {name} lets everybody in"
        for rule in policy["spec"]["ingress"] + policy["spec"]["egress"]:
            for peer in rule.get("from", []) + rule.get("to", []):
                labels = peer.get("podSelector", {}).get("matchLabels")
                if labels and "namespaceSelector" not in peer and not objects.selected(labels):
                    yield f"the policy {name} names pods that are not there: {labels}"
    yield from (f"{name} has no policy" for name, _ in objects.workloads() if name not in covered)


@check
def calls_between_components_are_allowed(objects):
    """Who has the address of a service may leave for it, and is let in there."""
    policies = {name: policy for policy in objects.of("NetworkPolicy")
                for name in objects.selected(policy["spec"]["podSelector"]["matchLabels"])}
    for name, template in objects.workloads() if policies else []:
        for container in template["spec"]["containers"]:
            for variable, one in environment(container).items():
                found = re.fullmatch(r"http://([a-z0-9-]+):(\d+)", one.get("value", ""))
                service = objects.named("Service", found.group(1)) if found else None
                if service is None:
                    continue
                target, port = objects.selected(service["spec"]["selector"])[0], int(found.group(2))
                for owner, direction, side, other in ((name, "egress", "to", target), (target, "ingress", "from", name)):
                    rules = policies[owner]["spec"][direction]
                    if not any(lets(objects, rule, side, other, port) for rule in rules):
                        yield f"{name}: {variable} leads to {target}, and the {direction} of {owner} forbids it"


def lets(objects, rule, side, other, port):
    peers = [peer.get("podSelector", {}).get("matchLabels") for peer in rule.get(side, [])]
    named = any(labels and other in objects.selected(labels) for labels in peers)
    return named and any(one["port"] == port for one in rule["ports"])


@check
def every_process_is_measured(objects):
    monitors = objects.of("ServiceMonitor")
    if not monitors:
        return
    wanted = monitors[0]["spec"]["selector"]["matchLabels"]
    named = {endpoint["port"] for endpoint in monitors[0]["spec"]["endpoints"]}
    asked = []
    for service in objects.of("Service"):
        if matches(wanted, service["metadata"]["labels"]):
            target = objects.selected(service["spec"]["selector"])[0]
            asked += [(target, port["targetPort"]) for port in service["spec"]["ports"] if port["name"] in named]
    for name, container, _ in objects.containers():
        for port in ports(container):
            times = asked.count((name.split("/")[0], port))
            if times != 1:
                yield f"{name}: its metrics are asked for {times} times"


@check
def alerts_name_metrics_that_are_there(objects):
    for one in objects.of("PrometheusRule"):
        for rule in (rule for group in one["spec"]["groups"] for rule in group["rules"]):
            for metric in re.findall(r"\bsouk_[a-z_]+", rule["expr"]):
                if not project.is_metric(metric):
                    yield f"the alert {rule['alert']}: no process has the metric {metric}"
            if re.search(r"\bup\s*==", rule["expr"]):
                yield f"the alert {rule['alert']} is about every target of the cluster's Prometheus"


@check
def migrations_come_first(objects):
    for job in objects.of("Job"):
        hooks = job["metadata"].get("annotations", {}).get("helm.sh/hook", "")
        if set(hooks.split(",")) != {"pre-install", "pre-upgrade"}:
            yield f"{job['metadata']['name']} runs at {hooks}: an older souk refuses what a newer one has migrated"


@check
def names_fit(objects):
    seen = set()
    for one in objects.all:
        name = (one["kind"], one["metadata"]["name"])
        if name in seen:
            yield f"there are two of {name}"
        seen.add(name)
        # A pod's name is a label: that of its StatefulSet, and a revision behind it.
        limit = 52 if one["kind"] in ("StatefulSet", "Deployment") else 63
        if len(name[1]) > limit:
            yield f"the name {name[1]} is longer than {limit}"
        for key, value in one["metadata"].get("labels", {}).items():
            if len(str(value)) > 63:
                yield f"{name[1]}: the label {key} is longer than 63"
