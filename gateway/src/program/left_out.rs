//! A driver that this build leaves out: known by name, so that a site that needs it is told what to do.

use async_trait::async_trait;
use edgeway_sdk::{Access, Driver, Fault, Json, Link, Manifest, Problem};
use std::sync::Arc;

/// Stands for a driver behind a Cargo feature of the same name.
pub(super) struct LeftOut(Manifest);

impl LeftOut {
    pub(super) fn new(name: &str) -> Self {
        LeftOut(Manifest::new(name, "-", "left out of this build"))
    }

    fn problem(&self) -> Problem {
        let problem = Problem::key("driver", format!("driver `{}` is left out of this build", self.0.name));
        problem.help(format!("build with `cargo build --release --features {}`", self.0.name))
    }
}

#[async_trait]
impl Driver for LeftOut {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn check_link(&self, _: &Json) -> Result<String, Vec<Problem>> {
        Err(vec![self.problem()])
    }

    fn check_device(&self, _: &Json) -> Vec<Problem> {
        vec![]
    }

    fn check_point(&self, _: &Json, _: Access) -> Vec<Problem> {
        vec![]
    }

    fn open(&self, _: Json) -> Result<Arc<dyn Link>, Fault> {
        Err(Fault::Config(self.problem().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_link_of_it_says_how_to_get_it() {
        let problems = LeftOut::new("opcua").check_link(&json!({})).expect_err("left out");
        assert_eq!(
            problems[0].to_string(),
            "`driver`: driver `opcua` is left out of this build (build with `cargo build --release --features opcua`)"
        );
    }
}
