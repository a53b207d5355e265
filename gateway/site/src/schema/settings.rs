//! `edgeway.toml`.

use super::keys::{Key, Kind, table};
use edgeway_sdk::Json;
use serde_json::json;

const TOP: [Key; 14] = [
    ("name", Kind::Text, "Part of topics and client ids: lower-case letters, digits and `-`, at most 64"),
    ("version", Kind::Whole(1, 1), "The layout of the site. Default: 1"),
    ("time_zone", Kind::Text, "What times of day mean in scenes and queries, `Europe/Berlin`. Default: UTC"),
    ("latitude", Kind::Within(-90.0, 90.0), "Degrees, north positive; for sunrise and sunset in scenes"),
    ("longitude", Kind::Within(-180.0, 180.0), "Degrees, east positive; for sunrise and sunset in scenes"),
    ("data", Kind::Text, "Where the journal and the state are, relative to the site. Default: data"),
    ("api", Kind::Ref("listen"), "The API, which wants the token in data/token. Default: 127.0.0.1:8080"),
    ("broker", Kind::Ref("listen"), "The embedded MQTT broker; none without this table. Default: 127.0.0.1:1883"),
    ("journal", Kind::Ref("journal"), "How much of what is kept, how long, and how safely"),
    ("ledger", Kind::Ref("ledger"), "What routes say of what became of their messages"),
    ("queries", Kind::Ref("queries"), "All queries together"),
    ("scenes", Kind::Ref("scenes"), "What is kept of the scenes' decisions"),
    ("driver", Kind::Named("driver"), "Drivers that are processes of their own"),
    ("drivers", Kind::Ref("drivers"), "Where drivers on other machines dial in"),
];

const LISTEN: [Key; 1] = [("listen", Kind::Text, "Address and port, `127.0.0.1:8080`")];

const LEDGER: [Key; 1] = [("every", Kind::Duration, "How often, 1s to 1d. Default: 1m")];

const QUERIES: [Key; 1] =
    [("memory", Kind::Size, "How much memory their state may take together, from 1MiB. Default: 256MiB")];

const SCENES: [Key; 2] = [
    ("decisions", Kind::Whole(0, 1_000), "How many of its last decisions each scene remembers. Default: 32"),
    ("journal", Kind::Bool, "Whether each decision goes into the journal too. Default: false"),
];

/// What every class has; the table itself is the class `normal`.
const CLASS: [Key; 6] = [
    ("size", Kind::Size, "The most bytes on disk. Default: 1GiB; critical 64MiB, bulk 256MiB"),
    ("age", Kind::Duration, "The longest time that messages are kept, 1m to 3660d. Default: 7d; critical 30d"),
    ("segment", Kind::Size, "One file of the log, 64KiB to 1GiB. Default: 8MiB; critical 1MiB"),
    ("sync", Kind::Choice(&["disk", "group", "os"]), "When a message counts as durable. Default: group; critical disk"),
    ("group_messages", Kind::Whole(1, 65_536), "Messages made durable together, at most. Default: 1024"),
    ("group_delay", Kind::Duration, "How long the first of a group waits, 0s to 1s. Default: 5ms"),
];

const OF_CLASS: [Key; 1] = [("subjects", Kind::Texts, "Which messages are of this class, with MQTT wildcards")];

const OF_JOURNAL: [Key; 3] = [
    ("memory", Kind::Texts, "Subjects that are kept in memory alone: no route gets them"),
    ("critical", Kind::Ref("class"), "Alarms, commands, ledgers"),
    ("bulk", Kind::Ref("class"), "What is much and matters little"),
];

const DRIVER: [Key; 6] = [
    ("command", Kind::Texts, "The program and its arguments; run in the site's folder"),
    ("environment", Kind::TextTable, "Variables for it alone"),
    ("memory_max", Kind::Size, "Resident memory beyond which it is started anew, from 16MiB"),
    ("cpu_max", Kind::Within(0.01, 1024.0), "Cores; used for half a minute, it is started anew"),
    ("manifest", Kind::Text, "Of one that runs elsewhere: the file with what its `--manifest` prints"),
    ("token", Kind::Text, "Of one that runs elsewhere: what it says to be let in; `${NAME}` or `file:///path`"),
];

const DRIVERS: [Key; 4] = [
    ("listen", Kind::Text, "Address and port"),
    ("ca", Kind::Text, "The authorities whose certificates drivers show, PEM"),
    ("cert", Kind::Text, "The gateway's certificate, PEM"),
    ("key", Kind::Text, "Its key, PEM"),
];

pub(super) fn schema() -> Json {
    let mut schema = table(&TOP, &["name"]);
    schema["$defs"] = json!({
        "listen": table(&LISTEN, &[]),
        "ledger": table(&LEDGER, &[]),
        "queries": table(&QUERIES, &[]),
        "scenes": table(&SCENES, &[]),
        "class": table(&[&CLASS[..], &OF_CLASS].concat(), &[]),
        "journal": table(&[&CLASS[..], &OF_JOURNAL].concat(), &[]),
        "driver": table(&DRIVER, &[]),
        "drivers": table(&DRIVERS, &DRIVERS.map(|(name, _, _)| name)),
    });
    schema
}
