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
//! returned as [`Effect`]s. Runs that wait in a `delay` and spans that `held` has counted live in memory and end with
//! the process.
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
//! | operations of a script while it loads | 200,000 |
//! | operations of one call of a closure, nested closures included | 20,000 |
//! | depth of calls, of expressions, of expressions in functions | 24, 64, 32 |
//! | text, array, map | 16 KiB, 4,096 items, 1,024 entries |
//! | variables, functions of a script | 256, 64 |
//! | steps that one closure emits | 1,024 |
//! | scenes in a chain of causes | 8, none twice |
//! | decisions kept for each scene | 32 |
//!
//! There is no limit in seconds: that would need a clock. 20,000 operations of plain arithmetic take about 2 ms on a
//! common server; who needs a deadline watches the thread that calls.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod clock;
mod facts;
mod held;
mod history;
mod load;
mod plan;
mod prove;
mod scenes;
mod scripts;
mod values;
mod why;

pub use load::{FileProblem, Options, Script};
pub use scenes::{Change, Counters, Effect, Restored, RunError, SceneInfo, Scenes};
pub use why::{ConditionView, DecisionView, NeedView, ReadView, StepView, TriggerView, Why, WhyNot};
