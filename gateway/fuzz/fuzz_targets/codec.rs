//! Any bytes as a block, as an item of version 1 and as a preamble.
#![no_main]

use edgeway_codec::{MessageCodec, names};
use edgeway_fuzz::{things, with_known_numbers};
use edgeway_journal::{Class, Codec, Decoder, Placement};
use edgeway_thing_models::{Message, Things};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

static THINGS: LazyLock<Arc<Things>> = LazyLock::new(things);
static CODEC: LazyLock<MessageCodec> =
    LazyLock::new(|| MessageCodec::new(THINGS.clone(), Box::new(|_| Placement::Disk(Class::Normal))));

fuzz_target!(|data: &[u8]| {
    let Some((how, bytes)) = data.split_first() else { return };
    let decoder = CODEC.decoder(&CODEC.preamble()).expect("own preamble");
    match how {
        0..224 => block(&*decoder, bytes, usize::from(*how)),
        224..240 => drop(decoder.decode_v1(bytes)),
        240..248 => written(&*decoder, bytes),
        248.. => preamble(bytes),
    }
});

fn block(decoder: &dyn Decoder<Message>, bytes: &[u8], count: usize) {
    if let Some(messages) = decoder.decode(bytes, count) {
        assert_eq!(messages.len(), count);
        comes_back(decoder, messages);
    }
}

/// Any messages about what the site has.
fn written(decoder: &dyn Decoder<Message>, bytes: &[u8]) {
    if let Ok(messages) = postcard::from_bytes::<Vec<Message>>(bytes) {
        let known = |message| with_known_numbers(message, &THINGS);
        comes_back(decoder, messages.into_iter().filter_map(known).collect());
    }
}

fn comes_back(decoder: &dyn Decoder<Message>, messages: Vec<Message>) {
    let bits = postcard::to_stdvec(&messages).expect("messages serialise");
    let (count, mut block) = (messages.len(), vec![]);
    CODEC.encode(&messages.into_iter().map(Arc::new).collect::<Vec<_>>(), &mut block);
    let again = decoder.decode(&block, count).expect("its own block");
    assert_eq!(postcard::to_stdvec(&again).expect("messages serialise"), bits, "bit for bit");
}

fn preamble(bytes: &[u8]) {
    let _ = names(bytes);
    if let Ok(decoder) = CODEC.decoder(bytes) {
        drop(decoder.decode_v1(bytes));
    }
}
