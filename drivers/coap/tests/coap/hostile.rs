//! Peers that do not behave: what is lost, late, doubled, foreign, endless, mixed or nonsense never gives a wrong value.

use crate::bench::{Bench, good, wait_for};
use crate::device::{Device, acknowledgement, answer, block, block_option, content, separate, with};
use coap_lite::{CoapOption, MessageType, Packet, ResponseType};
use edgeway_sdk::{Fault, Json, Plan, Quality, Split, Value};
use serde_json::json;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};

/// A link to a device that answers so, with one point that is polled.
async fn polled(answers: impl FnMut(&Packet, usize) -> Vec<Packet> + Send + 'static, options: Json) -> (Device, Bench) {
    let device = Device::start(answers).await;
    let mut link = device.link();
    link.as_object_mut().unwrap().extend(options.as_object().cloned().unwrap_or_default());
    let bench = Bench::new(link, json!({}), &[json!({ "path": "a", "write": true })]).await.connected().await;
    (device, bench)
}

/// What comes of one question that is answered so.
async fn once(answers: impl FnMut(&Packet, usize) -> Vec<Packet> + Send + 'static) -> Result<(Value, Quality), Fault> {
    polled(answers, json!({})).await.1.read().await
}

#[tokio::test]
async fn an_answer_to_something_else_is_none() {
    let other_token = |question: &Packet, _| {
        let mut answer = content(question, b"99");
        answer.set_token(vec![1, 2, 3, 4]);
        vec![answer]
    };
    let other_number = |question: &Packet, _| {
        let mut answer = content(question, b"99");
        answer.header.message_id ^= 0x5555;
        vec![answer]
    };
    let a_question = |question: &Packet, _| {
        vec![{
            let mut back = question.clone();
            back.payload = b"99".to_vec();
            back
        }]
    };
    let silent = |fault: Result<_, Fault>| matches!(fault, Err(Fault::Device(why)) if why.contains("within"));
    assert!(silent(once(other_token).await));
    assert!(silent(once(other_number).await));
    assert!(silent(once(a_question).await));
    let (_device, bench) = polled(other_token, json!({})).await;
    let _ = bench.read().await;
    assert_eq!(bench.counted("strange_answers"), 1);
}

#[tokio::test]
async fn a_stranger_is_not_heard() {
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let device = Device::start(|_, _| vec![]).await;
    let bench = Bench::new(device.link(), json!({}), &[json!({ "path": "a" })]).await.connected().await;
    let forging = async {
        let question = wait_for("a question", async || device.questions().pop()).await;
        // It has seen everything, and can all the same not speak from the device's port.
        let forged = content(&question, b"99").to_bytes().expect("short");
        stranger.send_to(&forged, device.gateway()).expect("a socket");
    };
    let (read, ()) = tokio::join!(bench.read(), forging);
    assert!(matches!(read, Err(Fault::Device(_))), "{read:?}");
}

#[tokio::test]
async fn a_late_answer_is_not_that_of_the_next_question() {
    let mut late: Option<Packet> = None;
    let answers = move |question: &Packet, count: usize| {
        let value = count.to_string();
        let own = content(question, value.as_bytes());
        // The answer to the first comes just before that to the second, and so on.
        match late.replace(own.clone()) {
            None => vec![],
            Some(before) => vec![before, own],
        }
    };
    let (_device, bench) = polled(answers, json!({})).await;
    assert!(bench.read().await.is_err());
    for count in 1..50 {
        assert_eq!(bench.read().await, Ok(good(count)));
    }
    assert_eq!(bench.counted("strange_answers"), 49);
}

#[tokio::test]
async fn what_is_lost_is_sent_again_with_the_same_number() {
    let answers = |question: &Packet, count: usize| if count < 3 { vec![] } else { vec![content(question, b"7")] };
    let (device, bench) = polled(answers, json!({ "timeout": "10s", "ack_timeout": "50ms" })).await;
    assert_eq!(bench.read().await, Ok(good(7)));
    let numbers: Vec<u16> = device.questions().iter().map(|question| question.header.message_id).collect();
    assert!(numbers.len() == 4 && numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
    assert_eq!(bench.counted("repetitions"), 3);
}

#[tokio::test]
async fn what_is_not_confirmable_is_sent_once() {
    let (device, bench) = polled(|_, _| vec![], json!({ "ack_timeout": "50ms", "messages": "non-confirmable" })).await;
    assert!(matches!(bench.read().await, Err(Fault::Device(_))));
    assert_eq!(device.questions().len(), 1);
}

#[tokio::test]
async fn an_answer_of_its_own_that_comes_twice_is_acknowledged_twice_and_taken_once() {
    let answers = |question: &Packet, _| {
        let own = separate(question, MessageType::Confirmable, 500, b"7");
        vec![acknowledgement(question), own.clone(), own]
    };
    let (device, bench) = polled(answers, json!({ "ack_timeout": "50ms" })).await;
    assert_eq!(bench.read().await, Ok(good(7)));
    wait_for("two acknowledgements", async || (device.told(MessageType::Acknowledgement, 500) == 2).then_some(()))
        .await;
    assert_eq!((device.questions().len(), bench.counted("duplicates")), (1, 1));
}

#[tokio::test]
async fn silence_is_the_devices_first_and_then_the_wires() {
    let (_device, bench) = polled(|_, _| vec![], json!({})).await;
    assert!(matches!(bench.read().await, Err(Fault::Device(_))));
    assert!(matches!(bench.read().await, Err(Fault::Link(_))));
    assert!(matches!(bench.read().await, Err(Fault::Link(_))), "until it is connected again");
}

#[tokio::test]
async fn a_resource_that_hangs_takes_no_other_down() {
    let hangs = |question: &Packet| question.get_first_option(CoapOption::UriPath).is_some_and(|path| path == b"slow");
    let answers = move |question: &Packet, _| {
        if hangs(question) { vec![acknowledgement(question)] } else { vec![content(question, b"7")] }
    };
    let device = Device::start(answers).await;
    let points = [json!({ "path": "fast" }), json!({ "path": "slow" })];
    let bench = Bench::new(device.link(), json!({}), &points).await.connected().await;
    for _ in 0..4 {
        assert!(matches!(bench.poll().await, Err(Fault::Device(_))), "it is there, and this does not come");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_the_wires() {
    let (device, bench) = polled(|question, _| vec![content(question, b"7")], json!({})).await;
    assert_eq!(bench.read().await, Ok(good(7)));
    drop(device);
    let is_of_link = |fault: &Fault| matches!(fault, Fault::Link(_));
    let fault = wait_for("a fault of the link", async || bench.read().await.err().filter(is_of_link)).await;
    assert!(matches!(&fault, Fault::Link(why) if why.contains("nobody listens there")), "{fault:?}");
    let fault = bench.connect().await.expect_err("nobody is there");
    assert!(matches!(&fault, Fault::Link(why) if why.contains("nobody listens there")), "{fault:?}");
}

#[tokio::test]
async fn nonsense_is_a_fault_or_bad_and_never_a_panic() {
    let odd = |option: u16, value: &'static [u8]| {
        move |question: &Packet, _: usize| vec![with(content(question, b"7"), CoapOption::from(option), value)]
    };
    let strange = |read: Result<(Value, Quality), Fault>| matches!(read, Err(Fault::Device(why)) if why.contains("makes no sense"));
    assert!(strange(once(odd(9, b"")).await), "a critical option that nobody knows");
    assert!(strange(once(odd(12, b"12345")).await), "a number of five bytes");
    assert!(strange(once(odd(23, b"\x07")).await), "a block without a size");
    assert!(strange(once(odd(23, b"\x10")).await), "another block than the first");
    assert!(strange(once(|question, _| vec![answer(question, ResponseType::Valid, b"")]).await), "2.03 unasked");
    assert!(strange(once(|question, _| vec![answer(question, ResponseType::Changed, b"7")]).await), "2.04 to GET");
    let bad = Ok((Value::Null, Quality::Bad));
    assert_eq!(once(|question, _| vec![content(question, b"{\"a\":")]).await, bad);
    assert_eq!(once(|question, _| vec![content(question, "[".repeat(5000).as_bytes())]).await, bad);
    let bomb = |question: &Packet, _: usize| {
        vec![with(content(question, b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), CoapOption::ContentFormat, &[60])]
    };
    assert_eq!(once(bomb).await, bad);
    assert_eq!(once(odd(12, &[40])).await, Ok((Value::Null, Quality::BadConfig)), "another format");
    let refused = once(|question, _| vec![answer(question, ResponseType::InternalServerError, b"oh")]).await;
    assert!(matches!(refused, Err(Fault::Point { quality: Quality::BadDevice, .. })), "{refused:?}");
}

#[tokio::test]
async fn bytes_that_are_no_message_are_thrown_away() {
    let (device, bench) = polled(|question, _| vec![content(question, b"7")], json!({})).await;
    assert_eq!(bench.read().await, Ok(good(7)));
    for bytes in [&b""[..], b"\x40", b"\xff\xff\xff\xff\xff", b"\x4f\x45\x00\x00", b"\x40\x45\x00\x01\xdd"] {
        device.socket.send_to(bytes, device.gateway()).await.expect("a socket");
    }
    assert_eq!(bench.read().await, Ok(good(7)));
    assert_eq!(bench.counted("malformed"), 5);
}

#[tokio::test]
async fn blocks_without_end_end_at_the_limit() {
    let answers = |question: &Packet, _: usize| {
        let (number, _) = block(question, CoapOption::Block2);
        vec![with(content(question, &[b' '; 1024]), CoapOption::Block2, &block_option(number, true, 6))]
    };
    let (device, bench) = polled(answers, json!({ "max_payload": "16KiB", "timeout": "5s" })).await;
    let fault = bench.read().await.expect_err("it does not end");
    assert!(matches!(&fault, Fault::Point { quality: Quality::BadOutOfRange, .. }), "{fault:?}");
    assert!(device.questions().len() <= 17);
    // What says that it will be too long is not even begun.
    let says = |question: &Packet, _: usize| {
        let first = with(content(question, &[b' '; 1024]), CoapOption::Block2, &block_option(0, true, 6));
        vec![with(first, CoapOption::Size2, &10_000_000u32.to_be_bytes())]
    };
    let (device, bench) = polled(says, json!({})).await;
    assert!(bench.read().await.is_err());
    assert_eq!(device.questions().len(), 1);
    // One datagram of the longest.
    let (_device, bench) =
        polled(|question, _| vec![content(question, &[b'7'; 60_000])], json!({ "max_payload": "16KiB" })).await;
    assert!(bench.read().await.is_err());
}

/// A resource of two blocks whose ETag is that of its reading while it changes so often.
fn changing(times: usize) -> impl FnMut(&Packet, usize) -> Vec<Packet> + Send + 'static {
    let mut changes = 0;
    move |question, _| {
        let (number, exponent) = block(question, CoapOption::Block2);
        if number == 1 && changes < times {
            changes += 1;
        }
        let whole = format!("\"{}\"", changes.to_string().repeat(30));
        let size = if exponent == 0 { 16 } else { 16usize << exponent };
        let part: Vec<u8> = whole.bytes().skip(number as usize * size).take(size).collect();
        let more = (number as usize + 1) * size < whole.len();
        let answer = with(content(question, &part), CoapOption::Block2, &block_option(number, more, exponent));
        vec![with(answer, CoapOption::ETag, &[changes as u8 + 1])]
    }
}

#[tokio::test]
async fn a_resource_that_changes_half_way_is_read_again_and_never_mixed() {
    let small = || json!({ "block_size": 16, "timeout": "5s" });
    let (_device, bench) = polled(changing(1), small()).await;
    assert_eq!(bench.read().await, Ok(good("1".repeat(30).as_str())));
    let (_device, bench) = polled(changing(usize::MAX), small()).await;
    assert_eq!(bench.read().await, Err(Fault::Busy("/a changes while it is read".into())));
}

#[tokio::test]
async fn a_block_that_is_refused_is_no_part_of_anything() {
    let second = |code: ResponseType| {
        move |question: &Packet, _: usize| {
            let (number, _) = block(question, CoapOption::Block2);
            let part = with(content(question, b"\"0123456789abcde"), CoapOption::Block2, &block_option(0, true, 0));
            let refusal = with(answer(question, code, b"\""), CoapOption::Block2, &block_option(1, false, 0));
            vec![if number == 0 { part } else { refusal }]
        }
    };
    assert!(matches!(once(second(ResponseType::Changed)).await, Err(Fault::Device(_))));
    assert!(matches!(once(second(ResponseType::NotFound)).await, Err(Fault::Point { .. })));
    assert!(matches!(once(second(ResponseType::RequestEntityIncomplete)).await, Err(Fault::Busy(_))));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let answers = |question: &Packet, count: usize| {
        let knows = question.get_first_option(CoapOption::ETag).is_some_and(|etag| etag == b"v1");
        let answer =
            if knows && count < 3 { answer(question, ResponseType::Valid, b"") } else { content(question, b"7") };
        vec![with(answer, CoapOption::ETag, if count < 3 { b"v1" } else { b"v2" })]
    };
    let (device, bench) = polled(answers, json!({})).await;
    for _ in 0..4 {
        assert_eq!(bench.read().await, Ok(good(7)));
    }
    let asked: Vec<bool> =
        device.questions().iter().map(|question| question.get_first_option(CoapOption::ETag).is_some()).collect();
    assert_eq!(asked, [false, true, true, true]);
}

fn notification(question: &Packet, number: u8, message_id: u16, payload: &[u8]) -> Packet {
    let packet = separate(question, MessageType::NonConfirmable, message_id, payload);
    with(packet, CoapOption::Observe, &[number])
}

/// A link to a device that is observed and has said 10, and the question.
async fn observed(options: Json) -> (Device, Bench, Packet) {
    let answers = |question: &Packet, _: usize| vec![with(content(question, b"10"), CoapOption::Observe, &[10])];
    let device = Device::start(answers).await;
    let mut link = device.link();
    link.as_object_mut().unwrap().extend(options.as_object().cloned().unwrap_or_default());
    let bench = Bench::new(link, json!({}), &[json!({ "path": "a", "watch": "observe" })]).await.connected().await;
    bench.told(0, good(10)).await;
    let question = device.questions().remove(0);
    (device, bench, question)
}

#[tokio::test]
async fn an_old_notification_is_not_told_after_a_newer_one() {
    let (device, bench, question) = observed(json!({})).await;
    for (number, message_id) in [(12, 1), (11, 2), (12, 1), (13, 3)] {
        device.send(&notification(&question, number, message_id, number.to_string().as_bytes())).await;
    }
    bench.told(0, good(13)).await;
    assert_eq!(bench.inbox.all(0), [good(10), good(12), good(13)]);
    assert_eq!((bench.counted("old_notifications"), bench.counted("duplicates")), (1, 1));
    assert!(bench.inbox.times(0).is_sorted());
}

#[tokio::test]
async fn a_device_that_tells_what_nobody_observes_is_told_so() {
    let (device, bench, question) = observed(json!({})).await;
    let mut foreign = notification(&question, 11, 77, b"99");
    foreign.set_token(vec![9, 9, 9, 9]);
    device.send(&foreign).await;
    wait_for("a reset", async || (device.told(MessageType::Reset, 77) == 1).then_some(())).await;
    assert_eq!(bench.inbox.all(0), [good(10)]);
    bench.link.close(Instant::now() + Duration::from_secs(1)).await;
    let goodbye = wait_for("a goodbye", async || device.questions().get(1).cloned()).await;
    assert_eq!((goodbye.get_token(), goodbye.get_observe_value()), (question.get_token(), Some(Ok(1))));
}

#[tokio::test]
async fn an_observation_of_which_nothing_comes_is_renewed_with_the_same_token() {
    let (device, bench, question) = observed(json!({ "renew": "1s" })).await;
    let again = wait_for("a renewal", async || device.questions().get(1).cloned()).await;
    assert_eq!((again.get_token(), again.get_observe_value()), (question.get_token(), Some(Ok(0))));
    wait_for("what is now", async || (bench.inbox.all(0).len() == 2).then_some(())).await;
}

#[tokio::test]
async fn a_notification_that_says_no_ends_the_observation() {
    let (device, bench, question) = observed(json!({})).await;
    let mut gone = answer(&question, ResponseType::NotFound, b"");
    gone.header.set_type(MessageType::Confirmable);
    gone.header.message_id = 5;
    device.send(&gone).await;
    bench.told(0, (Value::Null, Quality::BadConfig)).await;
    assert_eq!(device.told(MessageType::Acknowledgement, 5), 1);
}

#[tokio::test]
async fn a_flood_of_notifications_is_bounded_and_its_last_is_told() {
    let (device, bench, question) = observed(json!({})).await;
    for number in 0..2000u16 {
        let packet = separate(&question, MessageType::NonConfirmable, number, number.to_string().as_bytes());
        device.send(&with(packet, CoapOption::Observe, &(number + 100).to_be_bytes())).await;
        if number % 100 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    bench.told(0, good(1999)).await;
    assert!(bench.counted("dropped_notifications") > 0, "more came than may wait");
}

#[tokio::test]
async fn what_a_resource_does_not_say_any_more_is_bad() {
    let says = |question: &Packet, payload: &[u8]| with(content(question, payload), CoapOption::Observe, &[10]);
    let device = Device::start(move |question, _| vec![says(question, br#"{"t": 21, "h": 40}"#)]).await;
    let points = ["t", "h"].map(|at| json!({ "path": "a", "watch": "observe", "at": at }));
    let bench = Bench::new(device.link(), json!({}), &points).await.connected().await;
    bench.told(1, good(40)).await;
    let question = device.questions().remove(0);
    device.send(&notification(&question, 11, 1, br#"{"t": 22}"#)).await;
    bench.told(0, good(22)).await;
    bench.told(1, (Value::Null, Quality::Bad)).await;
}

#[tokio::test]
async fn a_device_that_was_restarted_and_counts_anew_is_heard() {
    let (device, bench, question) = observed(json!({})).await;
    device.send(&notification(&question, 11, 1, b"11")).await;
    bench.told(0, good(11)).await;
    device.send(&notification(&question, 12, 1, b"12")).await;
    bench.told(0, good(12)).await;
    assert_eq!(bench.counted("duplicates"), 0);
}

#[tokio::test]
async fn a_device_that_has_no_time_now_is_asked_again_and_its_value_stays() {
    let (device, bench, question) = observed(json!({})).await;
    let mut busy = answer(&question, ResponseType::ServiceUnavailable, b"");
    busy.header.set_type(MessageType::NonConfirmable);
    busy.header.message_id = 5;
    device.send(&with(busy, CoapOption::MaxAge, &[1])).await;
    wait_for("another question", async || (device.questions().len() == 2).then_some(())).await;
    wait_for("what is now", async || (bench.inbox.all(0).len() == 2).then_some(())).await;
    assert_eq!(bench.inbox.all(0), [good(10), good(10)]);
}

#[tokio::test]
async fn a_refusal_is_of_the_whole_resource_which_is_not_divided() {
    let device = Device::start(|question, _| vec![answer(question, ResponseType::InternalServerError, b"")]).await;
    let points = ["t", "h"].map(|at| json!({ "path": "a", "at": at }));
    let bench = Bench::new(device.link(), json!({}), &points).await.connected().await;
    let fault = bench.poll().await.expect_err("it is refused");
    assert!(matches!(fault, Fault::Point { quality: Quality::BadDevice, .. }), "{fault:?}");
    let step = bench.plan.steps[0].clone();
    assert_eq!(bench.link.plan(&[], &[], Split::Step(&step)).await, Ok(Plan::default()));
    assert!(bench.poll().await.is_err(), "it can be asked for as before");
}

#[tokio::test]
async fn what_was_done_is_not_told_as_refused_because_its_answer_breaks_off() {
    let answers = |question: &Packet, count: usize| {
        let first =
            with(answer(question, ResponseType::Changed, &[b' '; 16]), CoapOption::Block2, &block_option(0, true, 0));
        vec![if count == 0 { first } else { answer(question, ResponseType::NotFound, b"") }]
    };
    let (_device, bench) = polled(answers, json!({})).await;
    let written = bench.write(0, 7).await;
    assert!(matches!(&written, Err(Fault::Device(why)) if why.contains("it was taken")), "{written:?}");
    // What was acknowledged stays so although nothing is read back.
    let silent = |question: &Packet, count: usize| match count {
        0 => vec![answer(question, ResponseType::Changed, b"")],
        _ => vec![],
    };
    let (_device, bench) = polled(silent, json!({})).await;
    assert_eq!(bench.write(0, 7).await, Ok(None));
}

#[tokio::test]
async fn blocks_are_as_small_as_was_asked_for_everywhere() {
    let wants = |question: &Packet| question.get_first_option(CoapOption::Block2).cloned();
    let small = Some(block_option(0, false, 2));
    let (device, bench) = polled(|question, _| vec![content(question, b"7")], json!({ "block_size": 64 })).await;
    bench.write(0, 7).await.expect("it is taken");
    assert_eq!(device.questions().iter().map(wants).collect::<Vec<_>>(), [small.clone(), small.clone()]);
    let (device, _bench, _) = observed(json!({ "block_size": 64 })).await;
    assert_eq!(wants(&device.questions()[0]), small);
}

#[tokio::test]
async fn a_payload_that_is_too_long_for_a_device_is_sent_in_the_blocks_that_it_wants() {
    let mut whole: Vec<u8> = vec![];
    let answers = move |question: &Packet, count: usize| {
        let said =
            |code, number, more| with(answer(question, code, b""), CoapOption::Block1, &block_option(number, more, 0));
        if count == 0 {
            return vec![said(ResponseType::RequestEntityTooLarge, 0, false)];
        }
        if question.get_first_option(CoapOption::Block1).is_none() {
            return vec![content(question, &whole)];
        }
        whole.extend(&question.payload);
        let (number, is_last) = (block(question, CoapOption::Block1).0, question.payload.len() < 16);
        vec![said(if is_last { ResponseType::Changed } else { ResponseType::Continue }, number, !is_last)]
    };
    let (_device, bench) = polled(answers, json!({ "timeout": "5s" })).await;
    let text = "x".repeat(40);
    assert_eq!(bench.write(0, text.as_str()).await, Ok(Some(text.as_str().into())));
}

#[tokio::test]
async fn a_device_that_wants_smaller_blocks_gets_them() {
    let mut whole: Vec<u8> = vec![];
    let answers = move |question: &Packet, count: usize| {
        if count == 0 {
            let refusal = answer(question, ResponseType::RequestEntityTooLarge, b"");
            return vec![with(refusal, CoapOption::Block1, &block_option(0, true, 1))];
        }
        if question.get_first_option(CoapOption::Block1).is_none() {
            return vec![content(question, &whole)];
        }
        let (number, exponent) = block(question, CoapOption::Block1);
        assert_eq!((number as usize * (16 << exponent), exponent <= 1), (whole.len(), true));
        whole.extend(&question.payload);
        let is_last = question.payload.len() < 16 << exponent;
        let code = if is_last { ResponseType::Changed } else { ResponseType::Continue };
        // From the second on it wants even smaller ones.
        let wanted = if is_last { exponent } else { 0 };
        let option = block_option(number, !is_last, wanted);
        vec![with(answer(question, code, b""), CoapOption::Block1, &option)]
    };
    let (_device, bench) = polled(answers, json!({ "block_size": 64, "timeout": "5s" })).await;
    let text = "x".repeat(99);
    assert_eq!(bench.write(0, text.as_str()).await, Ok(Some(text.as_str().into())));
}

#[tokio::test]
async fn a_part_that_is_taken_for_the_whole_is_a_write_of_which_nobody_knows() {
    let answers = |question: &Packet, _: usize| vec![answer(question, ResponseType::Changed, b"")];
    let (device, bench) = polled(answers, json!({ "block_size": 16 })).await;
    let written = bench.write(0, "x".repeat(50).as_str()).await;
    assert!(matches!(&written, Err(Fault::Device(why)) if why.contains("a part of the payload")), "{written:?}");
    assert_eq!(device.questions().len(), 1);
}

#[tokio::test]
async fn a_write_without_an_answer_is_sent_once_and_told_so() {
    let (device, bench) = polled(|_, _| vec![], json!({})).await;
    assert!(matches!(bench.write(0, 7).await, Err(Fault::Device(_))));
    assert_eq!(device.questions().len(), 1);
}

#[tokio::test]
async fn a_peer_that_does_not_answer_dtls_costs_no_more_than_there_is_time() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("coaps://{}", silent.local_addr().expect("bound"));
    let link = json!({ "endpoint": endpoint, "identity": "me", "secret": "key" });
    let bench = Bench::new(link, json!({}), &[json!({ "path": "a" })]).await;
    let began = Instant::now();
    let fault = bench.link.connect(began + Duration::from_secs(1)).await.expect_err("nobody answers");
    assert!(matches!(&fault, Fault::Link(why) if why.contains("DTLS")), "{fault:?}");
    assert!(began.elapsed() < Duration::from_secs(2));
}
