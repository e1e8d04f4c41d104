"""Each check fails where it should: objects that hold are broken in one place, and the check named has to notice."""

import copy


def container(objects, workload, name):
    one = next(one for one in objects.all if one["metadata"]["name"] == workload and "template" in one["spec"])
    return next(c for c in one["spec"]["template"]["spec"]["containers"] if c["name"] == name)


def named(objects, kind, name):
    return objects.named(kind, name)


def rename(objects, workload, name, old, new):
    for one in container(objects, workload, name)["env"]:
        if one["name"] == old:
            one["name"] = new


def value(objects, workload, name, variable, new):
    for one in container(objects, workload, name)["env"]:
        if one["name"] == variable:
            one.clear()
            one.update({"name": variable, "value": new})


def drop(objects, kind, name):
    objects.all.remove(named(objects, kind, name))


def pod(objects, workload):
    return next(one for one in objects.all if one["metadata"]["name"] == workload and "template" in one["spec"])["spec"]["template"]


# The check that has to notice, and what is broken.
MUTATIONS = [
    ("environment_is_known", lambda o: rename(o, "souk-write-api", "write-api", "SOUK_WRITE_CONNECTIONS", "SOUK_WRITE_POOL")),
    ("environment_is_known", lambda o: rename(o, "souk-query-api", "query-api", "SOUK_QUERY_LISTEN", "SOUK_WRITE_LISTEN")),
    ("commands_are_known", lambda o: container(o, "souk-migrate", "migrate").update(command=["souk", "upgrade"])),
    ("roles_are_known_and_all_there", lambda o: container(o, "souk-projector-views", "projector").update(command=["projector", "--roles", "view"])),
    ("secrets_come_from_secrets", lambda o: value(o, "souk-write-api", "write-api", "SOUK_WRITE_DATABASE_URL", "postgres://a:b@c/d")),
    ("nobody_has_more_databases_than_needed", lambda o: rename(o, "souk-projector-views", "projector", "SOUK_READ_DATABASE_URL", "SOUK_WRITE_DATABASE_URL")),
    ("processes_listen_where_they_are_asked", lambda o: value(o, "souk-query-api", "query-api", "SOUK_QUERY_LISTEN", "127.0.0.1:8081")),
    ("probes_ask_what_is_there", lambda o: container(o, "souk-write-api", "write-api")["readinessProbe"]["httpGet"].update(path="/healthz")),
    ("probes_ask_what_is_there", lambda o: container(o, "souk-write-api", "write-api").pop("livenessProbe")),
    ("restarts_depend_on_no_other_server", lambda o: container(o, "souk-write-api", "write-api")["livenessProbe"]["httpGet"].update(path="/health/ready")),
    ("the_index_writer_has_no_readiness", lambda o: container(o, "souk-query-api", "index-writer").update(readinessProbe={"httpGet": {}})),
    ("containers_are_confined", lambda o: container(o, "souk-query-api", "index-writer").pop("securityContext")),
    ("containers_are_confined", lambda o: pod(o, "souk-migrate")["spec"].pop("automountServiceAccountToken")),
    ("containers_have_resources", lambda o: container(o, "souk-migrate", "migrate")["resources"].pop("limits")),
    ("images_are_pinned", lambda o: [c.update(image="souk:latest") for _, c, _ in o.containers()]),
    ("mounts_are_there", lambda o: pod(o, "souk-write-api")["spec"].update(volumes=[])),
    ("folders_that_are_written_are_volumes", lambda o: container(o, "souk-query-api", "query-api")["volumeMounts"].pop(0)),
    ("copies_belong_to_their_node", lambda o: value(o, "souk-operations", "reindex", "SOUK_NODE", "somewhere")),
    ("copies_belong_to_their_node", lambda o: pod(o, "souk-query-api")["spec"]["containers"].pop(1)),
    ("addresses_lead_to_services", lambda o: drop(o, "Service", "souk-operations")),
    ("services_find_their_pods", lambda o: named(o, "Service", "souk-query-api")["spec"]["selector"].update({"app.kubernetes.io/component": "search"})),
    ("services_find_their_pods", lambda o: named(o, "Service", "souk-query-api")["spec"]["ports"][0].update(port=80)),
    ("selectors_are_those_of_the_pods", lambda o: pod(o, "souk-write-api")["metadata"]["labels"].pop("app.kubernetes.io/component")),
    ("every_workload_has_a_budget", lambda o: drop(o, "PodDisruptionBudget", "souk-query-api")),
    ("autoscalers_scale_what_is_there", lambda o: named(o, "HorizontalPodAutoscaler", "souk-projector-views")["spec"]["metrics"][0]["external"]["metric"].update(name="souk_lag")),
    ("autoscalers_scale_what_is_there", lambda o: named(o, "StatefulSet", "souk-query-api")["spec"].update(replicas=2)),
    ("policies_hold_for_every_pod", lambda o: drop(o, "NetworkPolicy", "souk-migrate")),
    ("policies_hold_for_every_pod", lambda o: named(o, "NetworkPolicy", "souk-write-api")["spec"]["ingress"][0].update({"from": []})),
    ("policies_hold_for_every_pod", lambda o: named(o, "NetworkPolicy", "souk-query-api")["spec"]["ingress"].pop(1)),
    ("calls_between_components_are_allowed", lambda o: named(o, "NetworkPolicy", "souk-operations")["spec"]["egress"].pop(3)),
    ("every_process_is_measured", lambda o: named(o, "Service", "souk-query-api-nodes")["metadata"]["labels"].pop("metrics")),
    ("alerts_name_metrics_that_are_there", lambda o: named(o, "PrometheusRule", "souk")["spec"]["groups"][0]["rules"][1].update(expr="souk_outbox_seconds > 1")),
    ("alerts_name_metrics_that_are_there", lambda o: named(o, "PrometheusRule", "souk")["spec"]["groups"][0]["rules"][0].update(expr="up == 0")),
    ("migrations_come_first", lambda o: named(o, "Job", "souk-migrate")["metadata"]["annotations"].update({"helm.sh/hook": "pre-rollback"})),
    ("names_fit", lambda o: named(o, "StatefulSet", "souk-query-api")["metadata"].update(name="x" * 60)),
]


def unnoticed(objects, checks):
    """The mutations that no check noticed, and the checks that nothing was broken for."""
    by_name = {function.__name__: function for function in checks}
    for number, (name, broken) in enumerate(MUTATIONS, 1):
        changed = copy.deepcopy(objects)
        broken(changed)
        if not list(by_name[name](changed)):
            yield f"{name} did not notice mutation {number}"
    tried = {name for name, _ in MUTATIONS}
    yield from (f"nothing shows that {name} can fail" for name in by_name if name not in tried)
