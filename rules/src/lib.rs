//! The scene engine: linkage rules written in Rhai, run in Rust.
//!
//! A script runs once, when the site is loaded, and declares scenes: what sets them off, what must be true, what they
//! do. What it declares is data. It is proved against the thing models before anything runs, indexed by trigger, and
//! evaluated without entering a script; only `check`, `run` and computed arguments stay closures. Every decision is on
//! record, also those against acting, and [`Scenes::why`] shows it.
//!
//! ```
//! use edgeway_rules::{Effect, Options, Scenes, Script};
//! use edgeway_sdk::Timestamp;
//! use edgeway_thing_models::{Device, Things, ready_made};
//!
//! let mut things = Things::default();
//! ready_made().into_iter().for_each(|model| { things.add_model(model.into()); });
//! let model = things.model_ix("hotel-room").unwrap();
//! things.add_device(Device { id: "room-301".into(), model, labels: Default::default() });
//!
//! let text = r#"
//!     scene("welcome")
//!         .when(prop("room-301", "key_card") == true)
//!         .then([set("room-301", "main_power", true), delay("3s"), set("room-301", "curtain", 100)]);
//! "#;
//! let script = Script { file: "scenes/floor-3.rhai".into(), text: text.into() };
//! let (mut scenes, warnings) = Scenes::load(things.into(), &[script], Options::default()).unwrap();
//! assert!(warnings.is_empty());
//!
//! let now = Timestamp::from_secs(1_800_000_000);
//! let mut effects = vec![];
//! scenes.start(now, &mut effects);
//! scenes.run(now, "welcome", &mut effects).unwrap();
//! assert!(matches!(effects[..], [Effect::Firing(_), Effect::Command { .. }]));
//! assert_eq!(scenes.next_wake(), Some(now + std::time::Duration::from_secs(3)));
//! ```
//!
//! **It is not** a place for I/O: no file, no socket, no thread, no clock. Time is an argument, commands and notices are
//! returned as [`Effect`]s. What has to survive the process is handed out by [`Scenes::changes`] and taken up by
//! [`Scenes::restore`].
//!
//! # Three values
//!
//! A condition is true, false or unknown. A value that is missing, stale, uncertain or bad makes it unknown, and what is
//! unknown does not act. A trigger fires when its condition turns from known false to true; the first good value only
//! arms it. `held` stands still while its condition is unknown and starts over when it is false.
//!
//! # Limits
//!
//! | what | limit |
//! | --- | --- |
//! | text of a script | 256 KiB |
//! | operations, time of a script while it loads | 200,000, 500 ms |
//! | operations, time of one call of a closure, nested closures included | 20,000, 5 ms |
//! | depth of calls, of expressions, of expressions in functions | 24, 64, 32 |
//! | text, array, map | 16 KiB, 4,096 items, 1,024 entries |
//! | values in each other, captured ones included | 32 levels, 8,192 items |
//! | conditions in each other, written out | 32 levels, 16 KiB |
//! | name, title, message written in a script | 4 KiB |
//! | scenes, triggers, conditions and steps of a script, 64 bytes of text as one more | 100,000 |
//! | variables, functions of a script | 256, 64 |
//! | steps that one closure emits | 1,024 |
//! | scenes in a chain of causes | 8, none twice |
//! | decisions kept for each scene | 32, or as [`Options::decisions`] says; the last 4,096 of all can be followed |
//! | steps kept of a decision, printed lines | 64, 64 |
//! | steps of a block, blocks in blocks | 4,096, 16 |
//! | branches of `parallel`, of a run at once | 64, 1,024 |
//! | times of `repeat`, tries of `retry` | 1,000 |
//! | steps of a run without a wait | 10,000 |
//! | runs in parallel, or waiting in a queue, for one scene and device | 16, 16 |
//! | firings of a scene, unless it says | 200 in 10 s |
//! | faults of a scene's scripts before it is switched off | 5 |
//! | time after a set in which a report of that value counts as the scene's doing | 10 s, see [`Options::echo`] |
//! | mistakes told, of all scripts | 256 |
//! | texts printed between two decisions, each | 64, 1 KiB |
//!
//! The limits in time hold if the caller lends a [`Stopwatch`]; without one only operations count. 20,000 operations
//! of plain arithmetic take about 2 ms on a common server, those on long texts and arrays much longer. A single
//! operation is not interrupted; each takes less than a millisecond. Compiling is not counted: 256 KiB take up to
//! 0.1 s. A panic in a script's call ends that call as an error does.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod clock;
mod definitions;
mod facts;
mod graph;
mod held;
mod history;
mod import;
mod load;
mod plan;
mod prove;
mod scenes;
mod scripts;
mod show;
mod testing;
mod values;
mod why;

pub use definitions::definitions;
pub use graph::{Graph, GraphEdge, GraphNode, NodeKind};
pub use import::{ImportSite, Imported, import};
pub use load::{FileProblem, Options, Script, Stopwatch, Use};
pub use plan::command_text;
pub use scenes::{Change, Counters, Effect, Restored, RunError, SceneInfo, Scenes};
pub use show::Shown;
pub use testing::{Coverage, Failed, SceneCoverage, TestReport, TestResult, test};
pub use why::{ConditionView, DecisionView, NeedView, ReadView, StepView, TriggerView, Why, WhyNot};
