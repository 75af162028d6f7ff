//! What runs on a node of a swarm, and the commands of docs/swarm.md.

use std::fs;

use harness::eventually;

use crate::ROOT;
use crate::node::Node;

impl Node {
    /// Waits until a service has this number of healthy replicas, such as 2/2.
    pub async fn runs(&self, service: &str, replicas: &str) {
        let filter = format!("name={service}");
        eventually(&format!("{service} to have {replicas} replicas"), async || {
            let now = self.docker(&["service", "ls", "--filter", &filter, "--format={{.Replicas}}"]);
            (now == replicas).then_some(())
        })
        .await;
    }

    /// A container of the service on this node.
    pub fn container_of(&self, service: &str) -> Option<String> {
        let here = self.docker(&["ps", "--quiet", "--filter", &format!("name={service}")]);
        here.lines().next().map(str::to_owned)
    }
}

/// The commands of the code block in docs/swarm.md whose first line begins like this.
pub fn documented<const N: usize>(first: &str) -> [String; N] {
    let page = fs::read_to_string(format!("{ROOT}/docs/swarm.md")).expect("docs/swarm.md");
    let block = page.split("```sh\n").find(|block| block.starts_with(first)).expect("a block");
    let commands = block.split("```").next().into_iter().flat_map(str::lines).map(str::to_owned);
    let commands: Vec<String> = commands.collect();
    commands.try_into().unwrap_or_else(|now| panic!("the commands of docs/swarm.md have changed: {now:#?}"))
}
