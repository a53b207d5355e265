//! `replay = { file = ".." }`: a recording and how it is played back.

use edgeway_sdk::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A recording and how it is played back.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayOptions {
    /// A file whose name ends in .csv or .parquet; a relative path begins at the site's folder
    #[schemars(extend("format" = "path"))]
    pub(crate) file: String,
    /// The column with the time of each row
    #[serde(default = "time_default")]
    pub(crate) time: String,
    /// What a time that is a whole number counts, since 1970
    #[serde(default)]
    pub(crate) time_unit: TimeUnit,
    /// The column that says of which device a row is. Default: every row is of every device
    pub(crate) device: Option<String>,
    /// Which source times the values get
    #[serde(default)]
    pub(crate) times: Times,
    /// What happens after the last row
    #[serde(default)]
    pub(crate) at_end: AtEnd,
}

fn time_default() -> String {
    "time".into()
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TimeUnit {
    S,
    #[default]
    Ms,
    Us,
    Ns,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Times {
    // As if the recording had begun when the link was opened.
    #[default]
    Shifted,
    // Those of the recording.
    Original,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AtEnd {
    // The devices go offline.
    #[default]
    Stop,
    // The recording begins anew.
    Repeat,
}

impl ReplayOptions {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = vec![];
        if !self.is_csv() && !self.is_parquet() {
            let message = format!("`{}` is neither a CSV nor a Parquet file", self.file);
            problems.push(Problem::key("file", message).help("its name must end in .csv or .parquet"));
        }
        if (self.times, self.at_end) == (Times::Original, AtEnd::Repeat) {
            let message = "original times cannot be repeated: the second round would be older than the first";
            problems.push(Problem::key("at_end", message).help("write times = \"shifted\" or at_end = \"stop\""));
        }
        problems
    }

    pub(crate) fn is_parquet(&self) -> bool {
        self.file.ends_with(".parquet")
    }

    fn is_csv(&self) -> bool {
        self.file.ends_with(".csv")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cannot_be_played_back_is_told() {
        let options = json!({"file": "a.xlsx", "times": "original", "at_end": "repeat"});
        let replay: ReplayOptions = serde_json::from_value(options).expect("well-formed");
        let found: Vec<String> = replay.problems().iter().map(Problem::to_string).collect();
        assert_eq!(
            found,
            [
                "`file`: `a.xlsx` is neither a CSV nor a Parquet file (its name must end in .csv or .parquet)",
                "`at_end`: original times cannot be repeated: the second round would be older than the first (write \
                 times = \"shifted\" or at_end = \"stop\")",
            ]
        );
    }
}
