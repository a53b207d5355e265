//! Which scene sets off which, and through what: for drawing.

use crate::plan::{Deed, Doing, Leaf, Plan, Scene, SceneIx, TriggerIx, What};
use crate::scenes::Scenes;
use crate::values::Slot;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Scenes and what is between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// In the order of their names.
    pub nodes: Vec<GraphNode>,
    /// From what sets off to what is set off, by places in `nodes`.
    pub edges: Vec<GraphEdge>,
}

/// A scene, or something that scenes read and set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GraphNode {
    /// What kind of thing.
    pub kind: NodeKind,
    /// `room-301.curtain`, a scene's name, a query's, a channel's.
    pub name: String,
}

/// What kind of thing a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A scene.
    Scene,
    /// A property of a device.
    Property,
    /// A device's state.
    Device,
    /// An event of a device.
    Event,
    /// A service of a device.
    Service,
    /// A query.
    Query,
    /// A clock.
    Clock,
    /// Where people are told.
    Channel,
}

/// One leads to the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GraphEdge {
    /// A place in the nodes.
    pub from: usize,
    /// A place in the nodes.
    pub to: usize,
    /// Whether it is only looked at, not waited for.
    pub is_condition: bool,
}

impl Scenes {
    /// Which scene sets off which, and through what. `only` picks scenes in whose name it stands, with what they have to do
    /// with.
    pub fn graph(&self, only: Option<&str>) -> Graph {
        let mut drawing = Drawing { plan: self.plan(), nodes: BTreeMap::new(), edges: BTreeSet::new() };
        let scenes = self.plan().scenes.iter().enumerate();
        for (at, scene) in scenes.filter(|(_, scene)| only.is_none_or(|only| scene.name.contains(only))) {
            drawing.scene(SceneIx(at as u32), scene);
        }
        drawing.finish()
    }
}

struct Drawing<'a> {
    plan: &'a Plan,
    nodes: BTreeMap<GraphNode, ()>,
    edges: BTreeSet<(GraphNode, GraphNode, bool)>,
}

impl Drawing<'_> {
    fn scene(&mut self, ix: SceneIx, scene: &Scene) {
        let node = self.scene_node(ix);
        self.nodes.insert(node.clone(), ());
        for at in scene.triggers.clone() {
            for source in self.sources(TriggerIx(at)) {
                self.edge(source, node.clone(), false);
            }
        }
        let mut looked_at = vec![];
        let asked = [&scene.then, &scene.otherwise].into_iter().flat_map(|program| &program.steps);
        let asked = asked.filter_map(|step| match &step.doing {
            Doing::If { condition, .. } => Some(condition),
            Doing::WaitFor { wait, .. } => Some(&self.plan.waits[wait.0 as usize]),
            _ => None,
        });
        for clause in scene.conditions.iter().chain(asked) {
            self.plan.each_source(&clause.condition, &mut |leaf| looked_at.push(leaf));
        }
        let looked_at: Vec<GraphNode> = looked_at.into_iter().filter_map(|leaf| self.leaf(leaf)).collect();
        for source in looked_at {
            if !self.edges.contains(&(source.clone(), node.clone(), false)) {
                self.edge(source, node.clone(), true);
            }
        }
        for program in [&scene.then, &scene.otherwise] {
            for step in &program.steps {
                for deed in step.deeds() {
                    self.edge(node.clone(), self.target(deed), false);
                }
                if let Doing::RunScene(other) = step.doing {
                    let other = self.scene_node(other);
                    self.edge(node.clone(), other, false);
                }
            }
        }
    }

    fn edge(&mut self, from: GraphNode, to: GraphNode, is_condition: bool) {
        self.nodes.insert(from.clone(), ());
        self.nodes.insert(to.clone(), ());
        self.edges.insert((from, to, is_condition));
    }

    fn sources(&self, trigger: TriggerIx) -> Vec<GraphNode> {
        let trigger = self.plan.trigger(trigger);
        match &trigger.what {
            What::Event(device, event) => vec![self.event(*device, *event)],
            What::Row(of) => vec![node(NodeKind::Query, of.query.to_string())],
            What::Cron(_) | What::Start => vec![node(NodeKind::Clock, trigger.text.to_string())],
            What::Changed(slot) => vec![self.property(*slot)],
            What::Edge(condition) | What::Level(condition) => {
                let mut leaves = vec![];
                self.plan.each_source(condition, &mut |leaf| leaves.push(leaf));
                leaves.into_iter().filter_map(|leaf| self.leaf(leaf)).collect()
            }
        }
    }

    fn leaf(&self, leaf: Leaf) -> Option<GraphNode> {
        match leaf {
            Leaf::Slot(slot) => Some(self.property(slot)),
            Leaf::Device(device) => Some(node(NodeKind::Device, self.plan.things.device(device).id.to_string())),
            Leaf::Held(_) | Leaf::Clock | Leaf::Script => None,
        }
    }

    fn target(&self, deed: &Deed) -> GraphNode {
        let id = |device| self.plan.things.device(device).id.clone();
        match deed {
            Deed::Set { device, property, .. } => self.property(self.plan.slots.of(*device, *property)),
            Deed::Invoke { device, service, .. } => {
                let service = &self.plan.things.model_of(*device).services[usize::from(service.0)].identifier;
                node(NodeKind::Service, format!("{}.{service}", id(*device)))
            }
            Deed::Notify { channel, .. } => node(NodeKind::Channel, channel.to_string()),
            Deed::Emit { device, event, .. } => self.event(*device, *event),
        }
    }

    fn event(&self, device: edgeway_sdk::DeviceIx, event: edgeway_thing_models::EventIx) -> GraphNode {
        let things = &self.plan.things;
        let name = &things.model_of(device).events[usize::from(event.0)].identifier;
        node(NodeKind::Event, format!("{}.{name}", things.device(device).id))
    }

    fn property(&self, slot: Slot) -> GraphNode {
        node(NodeKind::Property, self.plan.slot_name(slot))
    }

    fn scene_node(&self, ix: SceneIx) -> GraphNode {
        node(NodeKind::Scene, self.plan.scene(ix).name.to_string())
    }

    fn finish(self) -> Graph {
        let nodes: Vec<GraphNode> = self.nodes.into_keys().collect();
        let place = |node: &GraphNode| nodes.binary_search(node).unwrap_or_default();
        let edge = |(from, to, is_condition): &(GraphNode, GraphNode, bool)| GraphEdge {
            from: place(from),
            to: place(to),
            is_condition: *is_condition,
        };
        let edges = self.edges.iter().map(edge).collect();
        Graph { nodes, edges }
    }
}

fn node(kind: NodeKind, name: String) -> GraphNode {
    GraphNode { kind, name }
}

impl Graph {
    /// The graph in the language of Graphviz: scenes are boxes, what they only look at is dashed.
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph scenes {\n  rankdir=LR;\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let (shape, fill) = node.kind.look();
            let _ = writeln!(
                dot,
                "  n{at} [label=\"{}\", shape={shape}, style=filled, fillcolor=\"{fill}\"];",
                node.name.replace('\\', "\\\\").replace('"', "\\\"")
            );
        }
        for edge in &self.edges {
            let style = if edge.is_condition { " [style=dashed]" } else { "" };
            let _ = writeln!(dot, "  n{} -> n{}{style};", edge.from, edge.to);
        }
        dot.push_str("}\n");
        dot
    }
}

impl NodeKind {
    fn look(self) -> (&'static str, &'static str) {
        match self {
            NodeKind::Scene => ("box", "#cfe8ff"),
            NodeKind::Property => ("ellipse", "#ffffff"),
            NodeKind::Device => ("ellipse", "#eeeeee"),
            NodeKind::Event => ("ellipse", "#ffe9b3"),
            NodeKind::Service => ("ellipse", "#e3d7ff"),
            NodeKind::Query => ("ellipse", "#d5f5d5"),
            NodeKind::Clock => ("ellipse", "#f5f5f5"),
            NodeKind::Channel => ("ellipse", "#ffd6d6"),
        }
    }
}
