//! What a query says that it reads.

use crate::{info, load, things};

#[test]
fn a_query_reads_the_properties_that_it_names_and_those_of_the_queries_that_it_reads() {
    let queries = load(&[
        ("windy", "SELECT device, wind_speed AS wind FROM wind_turbine WHERE state = 2"),
        ("very_windy", "SELECT device, wind FROM windy WHERE wind > 20"),
        ("alarms", "SELECT device, code FROM wind_turbine.alarm"),
        ("counted", "SELECT device, count(*) AS n FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')"),
    ]);
    let reads = |name: &str| {
        let things = things();
        let properties = info(&queries, name).reads;
        let names = properties.iter().map(|(model, property)| {
            let model = things.model(*model);
            format!("{}.{}", model.name, model.properties[usize::from(property.0)].identifier)
        });
        names.collect::<Vec<_>>()
    };
    let windy = ["wind-turbine.wind_speed", "wind-turbine.state"];
    assert_eq!(reads("windy"), windy);
    assert_eq!(reads("very_windy"), windy);
    assert_eq!((reads("alarms"), reads("counted")), (vec![], vec![]));
}
