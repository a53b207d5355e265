//! Messages to groups of one topic each, so that the groups, delivered one after the other, keep the order that matters.
//! Pure.

use std::collections::HashMap;
use std::hash::Hash;

/// Groups of one topic, in the order of their first messages. Messages with the same `sequence` stay in order also across
/// topics: none of them goes back to a group before the one that the sequence has reached; a topic has another group then.
pub(super) fn group<T, S: Hash + Eq>(
    messages: Vec<T>,
    topic: impl Fn(&T) -> String,
    sequence: impl Fn(&T) -> Option<S>,
) -> Vec<(String, Vec<T>)> {
    let mut groups: Vec<(String, Vec<T>)> = vec![];
    let mut newest_of_topic: HashMap<String, usize> = HashMap::new();
    let mut reached: HashMap<S, usize> = HashMap::new();
    for message in messages {
        let (topic, sequence) = (topic(&message), sequence(&message));
        let from = sequence.as_ref().and_then(|sequence| reached.get(sequence)).copied().unwrap_or(0);
        let open = newest_of_topic.get(&topic).copied().filter(|newest| *newest >= from);
        let at = open.unwrap_or(groups.len());
        if at == groups.len() {
            newest_of_topic.insert(topic.clone(), at);
            groups.push((topic, vec![]));
        }
        groups[at].1.push(message);
        sequence.map(|sequence| reached.insert(sequence, at));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::group;

    /// Messages are written as topic, device, number: `s1a`. A device `-` is none.
    fn grouped(messages: &str) -> String {
        let topic = |message: &&str| message[..1].to_owned();
        let device = |message: &&str| message[1..2].parse::<u8>().ok();
        let groups = group(messages.split_whitespace().collect(), topic, device);
        groups.into_iter().map(|(_, messages)| messages.join(" ")).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn one_topic_is_one_group() {
        assert_eq!(grouped("p1a p2a p1b"), "p1a p2a p1b");
        assert_eq!(grouped("p1a q2a p1b q2b"), "p1a p1b | q2a q2b", "these devices never meet");
    }

    #[test]
    fn what_a_device_did_stays_in_order_across_topics() {
        assert_eq!(grouped("s1a c1a s1b"), "s1a | c1a | s1b");
        assert_eq!(grouped("s1a c2a s1b c2b"), "s1a s1b | c2a c2b");
        assert_eq!(grouped("s1a c1a s2a s1b s2b"), "s1a s2a | c1a | s1b s2b", "later messages take the newest group");
    }

    #[test]
    fn what_is_of_no_device_keeps_the_order_of_its_topic() {
        assert_eq!(grouped("l-a m-a l-b m-b"), "l-a l-b | m-a m-b");
    }
}
