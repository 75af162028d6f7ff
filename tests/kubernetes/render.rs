//! What `kubectl kustomize` makes of the manifests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::ROOT;

/// An overlay with the base, the demo secrets and some components.
pub struct Overlay {
    pub folder: PathBuf,
}

impl Overlay {
    /// Writes the overlay into a folder of this name. Components are listed in their order.
    pub fn write(name: &str, components: &[&str], more: &str) -> Self {
        let folder = PathBuf::from(ROOT).join("target/kubernetes").join(name);
        fs::create_dir_all(&folder).expect("a folder below target");
        let kubernetes = "../../../kubernetes";
        let components = ["demo-secrets"].iter().chain(components);
        let components: String =
            components.map(|name| format!("  - {kubernetes}/components/{name}\n")).collect();
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n\
             resources: [{kubernetes}/base]\ncomponents:\n{components}{more}"
        );
        fs::write(folder.join("kustomization.yaml"), text).expect("a kustomization");
        Self { folder }
    }

    /// The rendered manifests, as text.
    pub fn text(&self) -> String {
        let rendered = Command::new("kubectl").arg("kustomize").arg(&self.folder).output();
        let rendered = rendered.expect("kubectl: see ./test.sh --help");
        let errors = String::from_utf8_lossy(&rendered.stderr);
        assert!(rendered.status.success(), "{} does not render: {errors}", self.folder.display());
        String::from_utf8(rendered.stdout).expect("UTF-8")
    }

    /// The rendered objects.
    pub fn objects(&self) -> Vec<Value> {
        objects(&self.text())
    }
}

/// The objects of a YAML file.
pub fn objects(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("YAML")
}
