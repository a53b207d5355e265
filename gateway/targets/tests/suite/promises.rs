//! What every target promises.

use crate::peer::{Arrived, Peer, WITHIN, id, open};
use crate::route::Route;
use edgeway_targets::{Delivery, Opening, Outcome, TargetError};
use std::collections::HashSet;

/// The bytes of a usual message.
const BYTES: usize = 300;

/// The tests of one peer: a name, and how to start it.
macro_rules! suite {
    ($name:ident, $peer:expr) => {
        mod $name {
            use super::*;
            use crate::promises;

            #[tokio::test]
            async fn everything_arrives_once_in_order_and_is_settled_once() {
                promises::everything_arrives_once_in_order_and_is_settled_once(&mut $peer.await).await;
            }

            #[tokio::test]
            async fn a_restart_of_the_peer_loses_nothing_and_repeats_have_known_ids() {
                promises::a_restart_of_the_peer_loses_nothing_and_repeats_have_known_ids(&mut $peer.await).await;
            }

            #[tokio::test]
            async fn what_the_peer_never_takes_is_refused_and_holds_up_nothing() {
                promises::what_the_peer_never_takes_is_refused_and_holds_up_nothing(&mut $peer.await).await;
            }

            #[tokio::test]
            async fn a_stranger_is_denied() {
                promises::a_stranger_is_denied(&mut $peer.await).await;
            }

            #[tokio::test]
            async fn a_large_message_arrives_whole() {
                promises::a_large_message_arrives_whole(&mut $peer.await).await;
            }

            #[tokio::test]
            async fn a_clean_stop_settles_what_is_under_way() {
                promises::a_clean_stop_settles_what_is_under_way(&mut $peer.await).await;
            }
        }
    };
}

pub(crate) use suite;

pub(crate) async fn everything_arrives_once_in_order_and_is_settled_once(peer: &mut dyn Peer) {
    let mut route = Route::new(peer.site());
    route.run(messages(peer, 0..500)).await;
    assert_eq!(route.errors, []);
    assert_eq!(route.settled, delivered(0..500));
    let arrived = peer.arrived(500).await;
    assert_eq!(numbers(&arrived), (0..500).collect::<Vec<_>>());
    has_known_ids(&arrived);
}

pub(crate) async fn a_restart_of_the_peer_loses_nothing_and_repeats_have_known_ids(peer: &mut dyn Peer) {
    let mut route = Route::new(peer.site());
    route.run(messages(peer, 0..300)).await;
    route.send(messages(peer, 300..500)).await;
    peer.restart().await;
    route.run(messages(peer, 500..800)).await;
    assert_eq!(route.settled, delivered(0..800));
    let arrived = peer.arrived(800).await;
    has_known_ids(&arrived);
    assert_eq!(numbers(&without_repeats(&arrived)), (0..800).collect::<Vec<_>>());
}

pub(crate) async fn what_the_peer_never_takes_is_refused_and_holds_up_nothing(peer: &mut dyn Peer) {
    let Some(unwanted) = peer.unwanted(5) else { return };
    let several = Delivery { messages: 3, last_id: id(9), id: id(7), ..unwanted.clone() };
    let batch =
        [messages(peer, 0..5), vec![unwanted, peer.message(6, BYTES), several], messages(peer, 10..15)].concat();
    let mut route = Route::new(peer.site());
    route.run(batch).await;
    let outcome = |n| route.settled.iter().find(|(settled, _)| *settled == id(n)).map(|(_, outcome)| outcome.clone());
    assert!(matches!(outcome(5), Some(Outcome::Refused(_))), "{:?}", outcome(5));
    assert!(matches!(outcome(7), Some(Outcome::Split(_))), "{:?}", outcome(7));
    let wanted = [0, 1, 2, 3, 4, 6, 10, 11, 12, 13, 14];
    assert!(wanted.iter().all(|n| outcome(*n) == Some(Outcome::Delivered)), "{:?}", route.settled);
    let arrived = peer.arrived(wanted.len()).await;
    assert_eq!(numbers(&without_repeats(&arrived)), wanted);
}

pub(crate) async fn a_stranger_is_denied(peer: &mut dyn Peer) {
    let Some(stranger) = peer.stranger() else { return };
    let mut target = open(stranger);
    let refused = tokio::time::timeout(WITHIN, async {
        target.connect(Opening::default()).await?;
        target.send(vec![peer.message(0, BYTES)]).await?;
        target.settle().await
    });
    let error = refused.await.expect("an answer").expect_err("a stranger");
    assert!(matches!(error, TargetError::Denied(_)), "{error:?}");
}

pub(crate) async fn a_large_message_arrives_whole(peer: &mut dyn Peer) {
    let mut route = Route::new(peer.site());
    route.run([peer.message(0, 1 << 20), peer.message(1, BYTES)]).await;
    let arrived = peer.arrived(2).await;
    assert_eq!(numbers(&arrived), [0, 1]);
    assert!(arrived[0].bytes >= 1 << 20, "{} bytes", arrived[0].bytes);
}

pub(crate) async fn a_clean_stop_settles_what_is_under_way(peer: &mut dyn Peer) {
    let mut route = Route::new(peer.site());
    route.run(messages(peer, 0..10)).await;
    route.send(messages(peer, 10..60)).await;
    let finished = route.target.finish().await;
    route.note(finished).await;
    route.target.close().await;
    assert_eq!(route.settled, delivered(0..60));
    assert_eq!(numbers(&peer.arrived(60).await), (0..60).collect::<Vec<_>>());
}

fn messages(peer: &dyn Peer, numbers: std::ops::Range<u64>) -> Vec<Delivery> {
    numbers.map(|n| peer.message(n, BYTES)).collect()
}

fn delivered(numbers: std::ops::Range<u64>) -> Vec<(edgeway_thing_models::MessageId, Outcome)> {
    numbers.map(|n| (id(n), Outcome::Delivered)).collect()
}

fn numbers(arrived: &[Arrived]) -> Vec<u64> {
    arrived.iter().map(|message| message.n).collect()
}

fn without_repeats(arrived: &[Arrived]) -> Vec<Arrived> {
    let mut seen = HashSet::new();
    arrived.iter().filter(|message| seen.insert(message.n)).cloned().collect()
}

fn has_known_ids(arrived: &[Arrived]) {
    for message in arrived {
        if let Some(found) = &message.id {
            assert_eq!(*found, id(message.n).to_string(), "message {}", message.n);
        }
    }
}
