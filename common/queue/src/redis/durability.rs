//! Whether Redis is configured to keep what it acknowledges.

use std::collections::HashMap;

use redis::RedisError;
use store::redis::{Connection, is_answer};

use crate::Risk;

/// Settings of Redis, the value that each needs, and what happens with another one.
const NEEDED: [(&str, &str, &str); 4] = [
    ("appendonly", "yes", "a restart of Redis loses every waiting vote"),
    ("appendfsync", "always", "a crash loses votes that were already acknowledged"),
    (
        "no-appendfsync-on-rewrite",
        "no",
        "a crash during a rewrite loses votes that were already acknowledged",
    ),
    ("maxmemory-policy", "noeviction", "Redis may throw waiting votes away when memory is short"),
];

/// The reasons why Redis might lose an acknowledged vote.
pub(super) async fn risks(connection: &Connection) -> Result<Vec<Risk>, RedisError> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(&NEEDED.map(|(setting, ..)| setting));
    let configured: HashMap<String, String> = match connection.run(&command).await {
        // Some providers of Redis forbid this command.
        Err(error) if is_answer(&error) => HashMap::new(),
        answer => answer?,
    };
    let risk = |(setting, needed, danger)| match configured.get(setting) {
        Some(value) if value == needed => None,
        Some(value) => {
            Some(Risk::Known(format!("Redis has {setting} {value}, so {danger}: set it to {needed}")))
        }
        None => Some(Risk::Hidden(format!(
            "Redis does not tell its {setting}; make sure that it is {needed}, or {danger}"
        ))),
    };
    Ok(NEEDED.into_iter().filter_map(risk).collect())
}
