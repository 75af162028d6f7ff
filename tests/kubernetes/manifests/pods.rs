//! The rules for every pod.

use serde_json::{Value, json};

/// The only pod that asks the Kubernetes API.
const WITH_TOKEN: &str = "prometheus";

/// The stores: a slow disk is no reason to kill them.
const STORES: [&str; 2] = ["redis", "db"];

/// Fails if an object makes pods, and one of them is not guarded.
pub fn check(object: &Value) {
    let Some(template) = template(object) else { return };
    let (kind, name) = (&object["kind"], object["metadata"]["name"].as_str().unwrap());
    let rule = |fact: bool, rule: &str| assert!(fact, "{kind} {name}: {rule}");
    let pod = &template["spec"];
    rule(pod["serviceAccountName"].is_string(), "an account of its own");
    rule(pod["automountServiceAccountToken"] == json!(name == WITH_TOKEN), "no token");
    rule(pod["enableServiceLinks"] == json!(false), "no variables of other services");
    let security = &pod["securityContext"];
    rule(security["runAsNonRoot"] == json!(true), "not root");
    rule(security["runAsUser"].as_u64() > Some(0), "a numeric user");
    rule(security["runAsGroup"].as_u64() > Some(0), "a numeric group");
    rule(security["seccompProfile"]["type"] == "RuntimeDefault", "the runtime's seccomp profile");
    for container in pod["containers"].as_array().unwrap() {
        check_container(container, &rule);
        if kind == "Deployment" || kind == "StatefulSet" {
            check_probes(container, STORES.contains(&name), &rule);
        }
    }
    if kind == "Deployment" && object["metadata"]["labels"]["app.kubernetes.io/name"] != WITH_TOKEN {
        rule(object["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, "never fewer replicas");
    }
}

fn check_container(container: &Value, rule: &impl Fn(bool, &str)) {
    let security = &container["securityContext"];
    rule(security["allowPrivilegeEscalation"] == json!(false), "no new rights");
    rule(security["readOnlyRootFilesystem"] == json!(true), "a read-only root");
    rule(security["capabilities"] == json!({ "drop": ["ALL"] }), "no capabilities");
    for amount in ["requests", "limits"] {
        for resource in ["cpu", "memory", "ephemeral-storage"] {
            rule(container["resources"][amount][resource].is_string(), "requests and limits");
        }
    }
    let image = container["image"].as_str().unwrap();
    rule(image.rsplit('/').next().unwrap().contains(':'), "a tag on the image");
}

fn check_probes(container: &Value, is_store: bool, rule: &impl Fn(bool, &str)) {
    rule(container["startupProbe"].is_object(), "a startup probe");
    rule(container["readinessProbe"].is_object(), "a readiness probe");
    rule(container["livenessProbe"].is_object() != is_store, "a liveness probe, unless it is a store");
}

/// The template of the pods that an object makes.
pub fn template(object: &Value) -> Option<&Value> {
    match object["kind"].as_str()? {
        "Deployment" | "StatefulSet" | "Job" => Some(&object["spec"]["template"]),
        "CronJob" => Some(&object["spec"]["jobTemplate"]["spec"]["template"]),
        _ => None,
    }
}
