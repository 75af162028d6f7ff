//! What the policies allow, as Kubernetes reads them: a connection needs a policy that lets one pod open it, and a
//! policy that lets the other pod take it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::pods;

/// What policies can see of a pod.
struct Pod {
    name: String,
    labels: Map<String, Value>,
    /// The ports' names and numbers.
    ports: Vec<(String, u64)>,
}

/// All connections between pods that are allowed, and those from the world.
pub fn arrows(objects: &[Value]) -> BTreeSet<String> {
    let pods: Vec<Pod> = objects.iter().filter_map(pod).collect();
    let policies: Vec<&Value> = objects.iter().filter(|object| object["kind"] == "NetworkPolicy").collect();
    let mut arrows = BTreeSet::new();
    for to in &pods {
        for port in &to.ports {
            if taken(&policies, None, to, port) {
                arrows.insert(format!("the world -> {}:{}", to.name, port.1));
            }
            for from in &pods {
                let open = taken(&policies, None, to, port);
                if opened(&policies, from, to, port) && (open || taken(&policies, Some(from), to, port)) {
                    arrows.insert(format!("{} -> {}:{}", from.name, to.name, port.1));
                }
            }
        }
    }
    arrows
}

fn pod(object: &Value) -> Option<Pod> {
    let template = pods::template(object)?;
    let ports = &template["spec"]["containers"][0]["ports"];
    let ports = ports.as_array().into_iter().flatten();
    Some(Pod {
        name: object["metadata"]["name"].as_str()?.to_owned(),
        labels: template["metadata"]["labels"].as_object()?.clone(),
        ports: ports
            .map(|port| (port["name"].as_str().unwrap().to_owned(), port["containerPort"].as_u64().unwrap()))
            .collect(),
    })
}

/// Whether a policy lets `from` open a connection to this port of `to`.
fn opened(policies: &[&Value], from: &Pod, to: &Pod, port: &(String, u64)) -> bool {
    rules(policies, "Egress", from).any(|rule| names(&rule["to"], to) && has_port(rule, port))
}

/// Whether a policy lets `to` take a connection from this pod, or from anywhere.
fn taken(policies: &[&Value], from: Option<&Pod>, to: &Pod, port: &(String, u64)) -> bool {
    rules(policies, "Ingress", to).any(|rule| {
        let from = from.map_or(rule["from"].is_null(), |pod| names(&rule["from"], pod));
        from && has_port(rule, port)
    })
}

/// The rules for one direction in all policies of a pod.
fn rules<'a>(policies: &[&'a Value], direction: &'a str, pod: &Pod) -> impl Iterator<Item = &'a Value> {
    let field = direction.to_lowercase();
    let of_pod: Vec<&Value> = policies
        .iter()
        .filter(|policy| selects(&policy["spec"]["podSelector"], pod))
        .flat_map(|policy| policy["spec"][&field].as_array().into_iter().flatten())
        .collect();
    of_pod.into_iter()
}

/// Whether the peers of a rule contain a pod. Peers in another namespace are no pods of ours. A rule without peers
/// allows any address, but here it contains no pod: it is only for the Kubernetes API.
fn names(peers: &Value, pod: &Pod) -> bool {
    peers.as_array().into_iter().flatten().any(|peer| {
        peer["namespaceSelector"].is_null()
            && peer["podSelector"].is_object()
            && selects(&peer["podSelector"], pod)
    })
}

fn has_port(rule: &Value, (name, number): &(String, u64)) -> bool {
    rule["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|port| port["port"] == *name || port["port"] == *number)
}

fn selects(selector: &Value, pod: &Pod) -> bool {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    labels.into_iter().all(|(key, value)| pod.labels.get(key) == Some(value))
        && expressions.into_iter().all(|expression| {
            let key = expression["key"].as_str().unwrap();
            let values = expression["values"].as_array().unwrap();
            let listed = pod.labels.get(key).is_some_and(|label| values.contains(label));
            match expression["operator"].as_str() {
                Some("In") => listed,
                Some("NotIn") => !listed,
                operator => panic!("the test knows no operator {operator:?}"),
            }
        })
}
