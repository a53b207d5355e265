//! What servers say that they have.

use super::asyncua::Asyncua;
use super::{lab, link};
use crate::host::Host;
use crate::soon;
use edgeway_driver_opcua::OpcUa;
use edgeway_sdk::{Access, Discovered, Driver, Holds};
use serde_json::json;
use tokio::sync::mpsc;

fn find<'a>(found: &'a [Discovered], at: &str) -> &'a Discovered {
    let is_it = |found: &&Discovered| found.options["at"] == at;
    found.iter().find(is_it).unwrap_or_else(|| panic!("{at} is among {found:?}"))
}

#[tokio::test]
async fn a_browse_tells_what_a_model_would_be_made_of() {
    let server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &[]);
    host.connect().await.unwrap();
    let found = host.browse(None).await.unwrap();
    let offer = |at| find(&found, at).offer.clone().unwrap();
    let power = offer("s=WTG01.Power");
    assert_eq!((power.name.as_str(), power.unit.as_str(), power.access), ("WTG01.Power", "kW", Access::Read));
    assert_eq!(power.description, "what it gives");
    assert_eq!(power.holds, Holds::Float { min: None, max: None }, "an EURange is no limit");
    let said = &find(&found, "s=WTG01.Power").identity;
    assert!(said.contains(&("range".into(), "0 to 3000".into())), "{said:?}");
    assert_eq!(find(&found, "s=Types.ByteString").offer, None, "no property holds bytes");
    let limit = offer("s=WTG01.Limit");
    assert_eq!((limit.holds, limit.access), (Holds::Int { min: Some(-32768), max: Some(32767) }, Access::ReadWrite));
    let words = ["stopped", "running", "failed"].map(str::to_owned);
    assert_eq!(offer("s=WTG01.State").holds, Holds::Enum { words: (0..).zip(words).collect() });
    assert_eq!(
        offer("s=Types.Int32s").holds,
        Holds::Array { of: Box::new(Holds::Int { min: Some(i32::MIN.into()), max: Some(i32::MAX.into()) }) }
    );
    assert!(matches!(offer("s=Types.Trip").holds, Holds::Struct { fields } if fields.len() == 4));
    assert_eq!(offer("s=Types.DateTime").holds, Holds::Date);
    let reset = found.iter().find(|found| found.identity.contains(&("method".into(), "s=WTG01.Reset".into())));
    assert!(reset.is_some(), "methods are named");
    assert!(!found.iter().any(|found| found.options["at"] == "ns=0;i=2256"), "the server's own state is left out");
    // What is found can be put into a point as it is.
    for found in found.iter().filter(|found| found.offer.is_some()) {
        assert_eq!(OpcUa.check_point(&found.options, Access::Read), []);
    }
    host.close().await;
}

#[tokio::test]
async fn a_browse_below_a_node_has_names_from_there() {
    let server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), json!({ "namespace": "http://lab", "root": "s=WTG01" }), &[]);
    host.connect().await.unwrap();
    let names =
        |found: Vec<Discovered>| found.into_iter().filter_map(|found| Some(found.offer?.name)).collect::<Vec<_>>();
    assert!(names(host.browse(None).await.unwrap()).contains(&"Power".to_owned()));
    assert!(names(host.browse(Some("s=Types")).await.unwrap()).contains(&"Double".to_owned()));
    host.close().await;
}

#[tokio::test]
async fn devices_are_found_below_objects() {
    let mut server = Asyncua::start(&[]).await;
    let (sender, mut found) = mpsc::channel(100);
    OpcUa.discover(link(server.port), sender, soon()).await.unwrap();
    let first = found.recv().await.unwrap();
    assert!(first.identity.contains(&("security".into(), "none".into())), "{first:?}");
    let mut devices = vec![];
    while let Some(device) = found.recv().await {
        assert_eq!(OpcUa.check_device(&device.options), []);
        devices.push((device.options, device.identity));
    }
    let wtg = json!({ "namespace": "http://lab", "root": "s=WTG01" });
    assert!(devices.contains(&(wtg, vec![("name".into(), "WTG01".into())])), "{devices:?}");
    assert_eq!(server.load().await, (0, 0), "nothing is left behind");
}
