//! Whether this Redis is configured to keep what it acknowledges.

use std::collections::HashMap;

use redis::RedisError;

use super::link::{Link, is_answer};

/// Each reason why a vote that Redis acknowledged might be lost, in a sentence.
pub(super) async fn warnings(link: &Link) -> Result<Vec<String>, RedisError> {
    let mut warnings = Vec::new();
    for (setting, needed, danger) in [
        ("appendonly", "yes", "a restart of Redis loses every waiting vote"),
        ("appendfsync", "always", "a crash loses votes that were already acknowledged"),
        ("maxmemory-policy", "noeviction", "Redis may throw waiting votes away when memory is short"),
    ] {
        match configured(link, setting).await? {
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

/// A setting's value, or `None` where this Redis does not let us ask.
async fn configured(link: &Link, setting: &str) -> Result<Option<String>, RedisError> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(setting);
    match link.run::<HashMap<String, String>>(&command).await {
        Ok(mut values) => Ok(values.remove(setting)),
        Err(error) if is_answer(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
