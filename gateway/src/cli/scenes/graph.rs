//! `edgeway scene graph`: which scene sets off which, as Graphviz or as a picture.

use super::{Failure, compiled, load};
use crate::cli::arguments::{GraphForm, GraphOptions};
use crate::cli::exit;
use layout::backends::svg::SVGWriter;
use layout::gv::{DotParser, GraphBuilder};
use std::sync::Arc;

/// More than this is no picture that a person can read, and its layout takes minutes.
const NODES_MAX: usize = 300;

pub(super) fn run(options: &GraphOptions) -> Result<u8, Failure> {
    let site = load(&options.site)?;
    let scenes = compiled(&site, &Arc::new(site.things.clone()))?;
    let graph = scenes.graph(options.only.as_deref());
    match options.form {
        GraphForm::Dot => print!("{}", graph.to_dot()),
        GraphForm::Svg if graph.nodes.len() > NODES_MAX => {
            return Err(format!(
                "{} scenes, properties and the like are too many for a picture (at most {NODES_MAX}); pick some with --only",
                graph.nodes.len()
            ));
        }
        GraphForm::Svg => println!("{}", svg(&graph.to_dot())?),
    }
    Ok(exit::OK)
}

fn svg(dot: &str) -> Result<String, Failure> {
    let parsed = DotParser::new(dot).process().map_err(|error| format!("the graph cannot be laid out: {error}"))?;
    let mut builder = GraphBuilder::new();
    builder.visit_graph(&parsed);
    let mut writer = SVGWriter::new();
    builder.get().do_it(false, false, false, &mut writer);
    Ok(writer.finalize())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_of_any_kind_become_a_picture() {
        let picture = super::svg(
            "digraph scenes {\n n0 [label=\"a \\\"b\\\" & <c>\", shape=box];\n n1 [label=\"d\"];\n n0 -> n1;\n}\n",
        );
        let picture = picture.expect("a picture");
        assert!(picture.contains("<svg") && picture.contains("&lt;c&gt;"), "{picture}");
    }
}
