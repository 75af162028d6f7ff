//! Whether Redis is configured to keep what it acknowledges.

use std::collections::HashMap;

use redis::RedisError;
use store::redis::{Connection, is_answer};

/// The reasons why Redis might lose an acknowledged vote: one sentence for each.
pub(super) async fn warnings(connection: &Connection) -> Result<Vec<String>, RedisError> {
    let mut warnings = Vec::new();
    for (setting, needed, danger) in [
        ("appendonly", "yes", "a restart of Redis loses every waiting vote"),
        ("appendfsync", "always", "a crash loses votes that were already acknowledged"),
        ("maxmemory-policy", "noeviction", "Redis may throw waiting votes away when memory is short"),
    ] {
        match configured(connection, setting).await? {
            Some(value) if value == needed => {}
            Some(value) => {
                warnings.push(format!("Redis has {setting} {value}, so {danger}: set it to {needed}"))
            }
            None => warnings.push(format!(
                "Redis does not tell its {setting}; make sure that it is {needed}, or {danger}"
            )),
        }
    }
    Ok(warnings)
}

/// A setting's value, or `None` if this Redis hides it.
async fn configured(connection: &Connection, setting: &str) -> Result<Option<String>, RedisError> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(setting);
    match connection.run::<HashMap<String, String>>(&command).await {
        Ok(mut values) => Ok(values.remove(setting)),
        Err(error) if is_answer(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
