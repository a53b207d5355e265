use super::*;
use edgeway_journal::{Placement, Stamp};
use edgeway_thing_models::{Body, Online, Status};
use std::sync::Arc;

const CLASS: Class = Class::Normal;

/// A message of device 0 or 1 at each offset; all are taken.
fn entries(offsets: Range<u64>) -> (Vec<Entry<Message>>, Vec<Choice>) {
    let entry = |offset: u64| {
        let status = Status { device: DeviceIx((offset % 2) as u32), online: Online::Online, reason: "".into() };
        let message = Message { time: edgeway_sdk::Timestamp::EPOCH, body: Body::Status(status) };
        let stamp = Stamp { epoch: 1, boot: [0; 16], mono_nanos: 0, wall_nanos: 0 };
        Entry { offset, item: Arc::new(message), placement: Placement::Disk(CLASS), stamp }
    };
    let count = (offsets.end - offsets.start) as usize;
    (offsets.map(entry).collect(), vec![Choice::Yes(None); count])
}

fn count(books: &mut Books, offsets: Range<u64>) {
    let (entries, choices) = entries(offsets);
    books.count(CLASS, &entries, &choices);
}

fn deliver(books: &mut Books, offsets: Range<u64>) {
    books.read_to(CLASS, Lane::Main, offsets.end);
    for offset in offsets.clone() {
        books.end(Holder::Device(DeviceIx((offset % 2) as u32)), End::Delivered, 1);
    }
    books.settle_to(CLASS, Lane::Main, offsets.end);
}

/// The sum over devices is the total, and every account is balanced.
fn assert_balanced(books: &Books) {
    let mut sum = Account::default();
    for (holder, account) in books.holders() {
        assert!(account.settled() <= account.taken, "{holder:?}: {account:?}");
        sum += account;
    }
    assert_eq!(sum, books.total());
}

#[test]
fn a_message_is_counted_once_whoever_sees_it_first() {
    let mut books = Books::new(0, [0; 3]);
    count(&mut books, 0..10);
    count(&mut books, 5..15);
    assert_eq!(books.total().taken, 15);
    assert_balanced(&books);
}

#[test]
fn what_is_removed_while_it_waits_is_dropped_and_what_is_under_way_is_not() {
    let mut books = Books::new(0, [0; 3]);
    count(&mut books, 0..10);
    books.read_to(CLASS, Lane::Main, 4);
    let (some, choices) = entries(0..8);
    assert_eq!(books.remove(CLASS, &some, &choices, 0), 4);
    assert_eq!((books.total().dropped, books.total().queued()), (4, 6));
    assert!(books.is_dropped(CLASS, 4) && !books.is_dropped(CLASS, 3), "what is under way is sent all the same");
    let books_after = Books::of_slot(&books.place(), 0, 100);
    assert!(books_after.is_dropped(CLASS, 7), "also after a crash: the file may still be there");
    assert_eq!(books.remove(CLASS, &some, &choices, 0), 0, "after a crash the same may be said again");
    let (unseen, choices) = entries(8..12);
    books.remove(CLASS, &unseen, &choices, 0);
    assert_eq!((books.total().taken, books.total().dropped), (12, 8), "also what nobody had counted yet");
    assert_balanced(&books);
}

#[test]
fn what_was_lost_unseen_comes_out_once_the_rest_is_settled() {
    let mut books = Books::new(0, [0; 3]);
    count(&mut books, 0..10);
    deliver(&mut books, 0..3);
    assert_eq!(books.clear_up(), 0, "not while something waits");
    deliver(&mut books, 5..10);
    assert_eq!(books.clear_up(), 2);
    assert_eq!((books.total().delivered, books.total().dropped, books.total().queued()), (8, 2, 0));
    assert_balanced(&books);
    assert_eq!(books.clear_up(), 0);
}

#[test]
fn new_messages_overtake_a_backlog_until_it_has_caught_up() {
    let mut books = Books::new(0, [0; 3]);
    count(&mut books, 0..100);
    books.overtake(CLASS);
    count(&mut books, 100..110);
    books.read_to(CLASS, Lane::Live, 110);
    books.settle_to(CLASS, Lane::Live, 110);
    assert_eq!((books.places(CLASS).settled, books.places(CLASS).live.map(|l| l.start)), (0, Some(100)));
    let (removed, choices) = entries(90..105);
    assert_eq!(books.remove(CLASS, &removed, &choices, 0), 10, "what went ahead is not dropped");
    books.settle_to(CLASS, Lane::Main, 100);
    let places = books.places(CLASS);
    assert_eq!((places.settled, places.read, places.live), (110, 110, None));
}

#[test]
fn totals_and_places_survive_in_the_slot() {
    let mut books = Books::new(7, [0; 3]);
    count(&mut books, 0..10);
    deliver(&mut books, 0..4);
    books.read_to(CLASS, Lane::Main, 8);
    let place = books.place();
    let restored = Books::of_slot(&place, 7, 100);
    assert_eq!((restored.total(), restored.places(CLASS).read), (books.total(), 4), "what was under way is not");
    let changed = Books::of_slot(&place, 8, 100);
    assert_eq!((changed.total().taken, changed.total().queued()), (4, 0), "another choice: counted again");
    assert_eq!(changed.places(CLASS).counted, 4);
    assert!(place.note.len() < 3000, "{} bytes", place.note.len());
    let shorter = Books::of_slot(&place, 7, 6).places(CLASS);
    assert_eq!((shorter.settled, shorter.counted), (4, 6), "what a crash took away is given out anew");
}

#[test]
fn a_revived_letter_is_delivered_and_dead_no_more() {
    let mut books = Books::new(0, [0; 3]);
    count(&mut books, 0..1);
    let holder = Holder::Device(DeviceIx(0));
    books.end(holder, End::Dead, 1);
    books.revive(holder);
    assert_eq!((books.total().dead, books.total().delivered), (0, 1));
    assert_balanced(&books);
}

#[test]
fn after_a_seek_nothing_waits_that_lies_before_it() {
    let mut books = Books::new(0, [0; 3]);
    count(&mut books, 0..10);
    books.seek([20; 3]);
    assert_eq!((books.total().dropped, books.total().queued()), (10, 0));
    books.seek([5; 3]);
    count(&mut books, 5..10);
    assert_eq!(books.total().queued(), 5, "what lies behind is taken again");
    assert_balanced(&books);
}

#[test]
fn what_a_route_keeps_between_two_removals_is_not_dropped() {
    let mut books = Books::new(0, [0; 3]);
    count(&mut books, 0..40);
    for (offsets, series) in [(10..20, 10), (20..22, 10), (30..40, 30)] {
        let (some, choices) = entries(offsets);
        books.remove(CLASS, &some, &choices, series);
    }
    let kept: Vec<u64> = (0..40).filter(|offset| !books.is_dropped(CLASS, *offset)).collect();
    assert_eq!(kept, (0..10).chain(22..30).collect::<Vec<_>>());
    assert_eq!(books.total().dropped, 22);
    assert!((0..1000).all(|at| {
        let (some, choices) = entries(100 + 4 * at..102 + 4 * at);
        books.remove(CLASS, &some, &choices, at);
        books.place().note.len() < 3000
    }));
}

#[test]
fn the_total_says_how_much_is_lost_also_where_the_accounts_by_device_do_not_fit_it() {
    let mut books = Books::new(0, [0; 3]);
    count(&mut books, 0..20);
    deliver(&mut books, 0..10);
    // As after a crash: the journal tells that so many have ended, not that they were dropped.
    let ended = books.holders.get_mut(&Holder::Device(DeviceIx(0))).unwrap();
    (ended.delivered, ended.taken) = (ended.delivered - 3, ended.taken + 2);
    let nobody = books.holders.entry(Holder::Nobody).or_default();
    (nobody.delivered, nobody.dropped) = (3, 2);
    (books.total.taken, books.total.dropped) = (22, 2);
    books.is_uneven = true;
    books.read_to(CLASS, Lane::Main, 20);
    assert_eq!(books.clear_up(), 10);
    let total = books.total();
    assert_eq!((total.taken, total.delivered, total.dropped), (22, 10, 12));
    assert_balanced(&books);
}
