//! What was asked for.

use std::{path::PathBuf, str::FromStr};

pub(crate) struct Arguments {
    pub(crate) dir: PathBuf,
    pub(crate) group_items_max: u64,
    pub(crate) segment_bytes: u64,
    pub(crate) quota_bytes: u64,
    pub(crate) items: Option<u64>,
    pub(crate) state: bool,
    pub(crate) verify: bool,
    pub(crate) acked: Option<u64>,
}

impl Arguments {
    pub(crate) fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let dir = given.next().filter(|dir| !dir.starts_with("--")).ok_or("which directory?")?;
        let mut arguments = Arguments {
            dir: dir.into(),
            group_items_max: 64,
            segment_bytes: 256 << 10,
            quota_bytes: 256 << 20,
            items: None,
            state: false,
            verify: false,
            acked: None,
        };
        while let Some(option) = given.next() {
            match option.as_str() {
                "--groups" => arguments.group_items_max = value::<u64>(&option, given.next())?.max(1),
                "--segment" => arguments.segment_bytes = value(&option, given.next())?,
                "--quota" => arguments.quota_bytes = value(&option, given.next())?,
                "--items" => arguments.items = Some(value(&option, given.next())?),
                "--acked" => arguments.acked = u64::try_from(value::<i64>(&option, given.next())?).ok(),
                "--state" => arguments.state = true,
                "--verify" => arguments.verify = true,
                other => return Err(format!("what is `{other}`?")),
            }
        }
        Ok(arguments)
    }
}

fn value<T: FromStr>(option: &str, text: Option<String>) -> Result<T, String> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("{option} needs a number"))
}
