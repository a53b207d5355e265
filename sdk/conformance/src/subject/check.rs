//! From what is written to what can be used, with every mistake.

use super::layout::{
    Lines, Written, WrittenAccess, WrittenChaos, WrittenFrame, WrittenInvalid, WrittenPeer, WrittenPoint,
    WrittenRefused,
};
use super::{
    ADDRESS, Chaos, Framing, Invalid, PORT, PeerPlace, PeerSpec, Point, Subject, Transport, Write, number, same,
};
use edgeway_sdk::{Access, DeviceIx, Json, Problem, Value, did_you_mean};
use std::collections::HashSet;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::time::Duration;
use toml::Spanned;

/// Below, a busy machine makes answers late that are not; above, a run takes for ever.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(5);

pub(super) fn subject(written: Written, folder: &Path, lines: &Lines<'_>) -> Result<Subject, Vec<Problem>> {
    let mut check = Check { lines, problems: vec![] };
    check.version(&written.version);
    check.timeout(&written.timeout);
    check.address(&written);
    let ids: Vec<&Spanned<String>> = written.device.iter().map(|device| &device.id).collect();
    check.unique("device", &ids);
    if ids.is_empty() {
        check.problems.push(Problem::at(1, 1, "there is no `[[device]]`").help("give at least one with a point"));
    }
    let names: Vec<&str> = ids.iter().map(|id| id.get_ref().as_str()).collect();
    check.points_are_unique(&written);
    let points: Vec<Point> = written.point.iter().filter_map(|point| check.point(point, &names)).collect();
    if written.point.is_empty() {
        check
            .problems
            .push(Problem::at(1, 1, "there is no `[[point]]`").help("give some, with values that all differ"));
    }
    check.values_differ(&written.point);
    let refused = written.refused.iter().filter_map(|point| check.refused(point, &names)).collect();
    check.datagrams(&written);
    let chaos = written.chaos.map(|chaos| check.chaos(chaos.get_ref(), chaos.span())).unwrap_or_default();
    let peer = written.peer.and_then(|peer| check.peer(peer.get_ref(), peer.span()));
    if !check.problems.is_empty() {
        return Err(check.problems);
    }
    Ok(Subject {
        folder: folder.into(),
        timeout: written.timeout.into_inner(),
        peer,
        link: written.link.into_inner(),
        devices: written.device.into_iter().map(|device| (device.id.into_inner(), device.options)).collect(),
        points,
        refused,
        invalid: written.invalid.into_iter().map(invalid).collect(),
        chaos,
    })
}

fn invalid(written: WrittenInvalid) -> Invalid {
    let access = written.access.into();
    Invalid { of: written.of, options: written.options, access, key: written.key }
}

struct Check<'l> {
    lines: &'l Lines<'l>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(self.lines.problem(span, message).help(help));
    }

    fn version(&mut self, version: &Spanned<u32>) {
        if *version.get_ref() != 1 {
            self.wrong(version.span(), format!("`version = {}` is not known", version.get_ref()), "`version = 1`");
        }
    }

    fn timeout(&mut self, timeout: &Spanned<Duration>) {
        if !TIMEOUT.contains(timeout.get_ref()) {
            self.wrong(timeout.span(), format!("a timeout of {:?} cannot be tested", timeout.get_ref()), "50ms to 5s");
        }
    }

    /// The driver must be led to the proxy, or nothing is tested.
    fn address(&mut self, written: &Written) {
        let is_named = written.link.get_ref().to_string().contains(ADDRESS);
        match (&written.peer, is_named) {
            (Some(_), false) => self.wrong(
                written.link.span(),
                format!("`{ADDRESS}` stands nowhere in `[link]`"),
                "put it where the driver takes host and port",
            ),
            (None, true) => self.wrong(
                written.link.span(),
                format!("`{ADDRESS}` stands in `[link]`, and there is no `[peer]`"),
                "say with `command` or `address` who the driver talks to",
            ),
            _ => {}
        }
        if let (None, Some(chaos)) = (&written.peer, &written.chaos) {
            self.wrong(chaos.span(), "`[chaos]` without a `[peer]`", "without a wire there is nothing to damage");
        }
    }

    fn unique(&mut self, what: &str, ids: &[&Spanned<String>]) {
        let mut seen = HashSet::new();
        for id in ids {
            if !seen.insert(id.get_ref()) {
                self.wrong(id.span(), format!("a second {what} `{}`", id.get_ref()), "give it another `id`");
            }
        }
    }

    fn points_are_unique(&mut self, written: &Written) {
        let points = written.point.iter().map(|point| (&point.device, &point.id));
        let refused = written.refused.iter().map(|point| (&point.device, &point.id));
        let mut seen = HashSet::new();
        for (device, id) in points.chain(refused) {
            if !seen.insert((device.get_ref(), id.get_ref())) {
                let message = format!("a second point `{}` of `{}`", id.get_ref(), device.get_ref());
                self.wrong(id.span(), message, "give it another `id`");
            }
        }
    }

    fn device(&mut self, name: &Spanned<String>, names: &[&str]) -> Option<DeviceIx> {
        let found = names.iter().position(|known| known == name.get_ref());
        if found.is_none() {
            let help = did_you_mean(name.get_ref(), names.iter().copied());
            self.problems
                .push(self.lines.problem(name.span(), format!("no device `{}`", name.get_ref())).maybe_help(help));
        }
        found.map(|at| DeviceIx(number(at)))
    }

    fn point(&mut self, written: &WrittenPoint, names: &[&str]) -> Option<Point> {
        let access = Access::from(written.access);
        let span = written.id.span();
        match (access.reads(), &written.value) {
            (true, None) => {
                self.wrong(span.clone(), "a point that is read needs a `value`", "what the device holds there")
            }
            (false, Some(value)) => self.wrong(value.span(), "a point that is not read has no `value`", "leave it out"),
            _ => {}
        }
        match (access, &written.write) {
            (Access::Read, Some(write)) => {
                self.wrong(write.span(), "`write` at a point that is only read", "`access = \"read-write\"`");
            }
            (Access::Write, None) => {
                self.wrong(span, "a point that is only written needs a `write`", "a value to write")
            }
            _ => {}
        }
        if let (Some(reads_back), true) = (&written.reads_back, written.write.is_none() || !access.reads()) {
            self.wrong(reads_back.span(), "`reads_back` at a point that is not written and read", "leave it out");
        }
        let value = |json: &Spanned<Json>| Value::from_json(json.get_ref());
        let write = written.write.as_ref().map(value).map(|written_value| Write {
            reads_back: written.reads_back.as_ref().map_or_else(|| written_value.clone(), value),
            value: written_value,
        });
        Some(Point {
            id: written.id.get_ref().clone(),
            device: self.device(&written.device, names)?,
            options: written.options.clone().into(),
            access,
            value: written.value.as_ref().map(value).unwrap_or_default(),
            write,
        })
    }

    /// A value that two points have would hide that one was taken for the other.
    fn values_differ(&mut self, points: &[WrittenPoint]) {
        let mut seen: Vec<(Value, &str)> = vec![];
        for point in points {
            let is_read = point.access != WrittenAccess::Write;
            let read_after = point.reads_back.as_ref().or(point.write.as_ref()).filter(|_| is_read);
            for json in [point.value.as_ref(), read_after].into_iter().flatten() {
                let value = Value::from_json(json.get_ref());
                if let Some((_, other)) = seen.iter().find(|(known, _)| same(known, &value)) {
                    let message = format!("`{value}` is a value of `{other}` too");
                    self.wrong(json.span(), message, "let all values differ, so that any mix-up is noticed");
                }
                seen.push((value, point.id.get_ref()));
            }
        }
    }

    fn refused(&mut self, written: &WrittenRefused, names: &[&str]) -> Option<Point> {
        Some(Point {
            id: written.id.get_ref().clone(),
            device: self.device(&written.device, names)?,
            options: written.options.clone().into(),
            access: Access::Read,
            value: Value::Null,
            write: None,
        })
    }

    /// A datagram is a message: there is nothing to say of where it ends.
    fn datagrams(&mut self, written: &Written) {
        let is_udp = written.peer.as_ref().is_some_and(|peer| peer.get_ref().transport == Transport::Udp);
        let is_framed =
            |chaos: &WrittenChaos| chaos.frame != WrittenFrame::Piece || chaos.length.is_some() || chaos.end.is_some();
        if let Some(chaos) = written.chaos.as_ref().filter(|chaos| is_udp && is_framed(chaos.get_ref())) {
            self.wrong(chaos.span(), "a `frame` over UDP", "leave it out: a datagram is a message");
        }
    }

    fn peer(&mut self, written: &WrittenPeer, span: Range<usize>) -> Option<PeerSpec> {
        Some(PeerSpec { place: self.place(written, span)?, transport: written.transport })
    }

    fn place(&mut self, written: &WrittenPeer, span: Range<usize>) -> Option<PeerPlace> {
        match (&written.command, &written.address) {
            (Some(command), None) if command.is_empty() => {
                self.wrong(span, "`command` is empty", "the program, then its arguments");
                None
            }
            (Some(command), None) if !command.iter().any(|word| word.contains(PORT)) => {
                self.wrong(
                    span,
                    format!("`{PORT}` stands nowhere in `command`"),
                    "put it where the program takes its port",
                );
                None
            }
            (Some(command), None) => Some(PeerPlace::Command(command.clone())),
            (None, Some(address)) => match address.parse() {
                Ok(address) => Some(PeerPlace::Address(address)),
                Err(_) => {
                    self.wrong(span, format!("`{address}` is no address"), "write \"127.0.0.1:502\"");
                    None
                }
            },
            _ => {
                self.wrong(span, "`[peer]` needs either `command` or `address`", "exactly one of the two");
                None
            }
        }
    }

    fn chaos(&mut self, written: &WrittenChaos, span: Range<usize>) -> Chaos {
        Chaos {
            framing: self.framing(written, span),
            answer_per_question: written.answer_per_question,
            garbage: written.garbage,
            id: self.range(written.id.as_ref()),
            unit: self.range(written.unit.as_ref()),
            function: self.range(written.function.as_ref()),
        }
    }

    fn framing(&mut self, written: &WrittenChaos, span: Range<usize>) -> Framing {
        let WrittenChaos { frame, length, end, .. } = written;
        match (frame, length) {
            (WrittenFrame::Length, None) => self.wrong(
                span.clone(),
                "`frame = \"length\"` without a `length`",
                "`length = { at = [4, 6], plus = 6 }`: where it stands, and how many bytes it does not count",
            ),
            (WrittenFrame::Length, Some(_)) | (_, None) => {}
            (_, Some(length)) => self.wrong(length.at.span(), "a `length` without `frame = \"length\"`", "add it"),
        }
        match (frame, end.as_ref().filter(|end| !end.get_ref().is_empty())) {
            (WrittenFrame::End, None) => {
                self.wrong(span, "`frame = \"end\"` without an `end`", "`end = \"*\"`: the bytes that end a message");
            }
            (WrittenFrame::End, Some(_)) | (_, None) => {}
            (_, Some(end)) => self.wrong(end.span(), "an `end` without `frame = \"end\"`", "add it"),
        }
        match (frame, length, end) {
            (WrittenFrame::Length, Some(length), _) => {
                let at = self.range(Some(&length.at)).unwrap_or_default();
                Framing::Length { at, plus: length.plus, order: length.order }
            }
            (WrittenFrame::Line, ..) => Framing::End(b"\n".to_vec()),
            (WrittenFrame::End, _, Some(end)) => Framing::End(end.get_ref().as_bytes().to_vec()),
            _ => Framing::Piece,
        }
    }

    fn range(&mut self, written: Option<&Spanned<[usize; 2]>>) -> Option<Range<usize>> {
        let [from, to] = *written?.get_ref();
        if from >= to {
            let message = format!("[{from}, {to}] holds no byte");
            self.wrong(written?.span(), message, "the first byte, counted from 0, and the one after the last");
        }
        Some(from..to)
    }
}

impl From<WrittenAccess> for Access {
    fn from(written: WrittenAccess) -> Access {
        match written {
            WrittenAccess::Read => Access::Read,
            WrittenAccess::ReadWrite => Access::ReadWrite,
            WrittenAccess::Write => Access::Write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "version = 1\ntimeout = \"200ms\"\n";

    fn problems(text: &str) -> Vec<String> {
        let error = Subject::parse(text, "/somewhere").expect_err("there are mistakes");
        error.problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let found = problems(
            r#"version = 2
timeout = "1ms"
[peer]
command = ["python3", "device.py"]
[link]
endpoint = "tcp://127.0.0.1:502"
[[device]]
id = "m"
[[point]]
id = "a"
device = "n"
value = 7
[[point]]
id = "b"
device = "m"
value = 7.0
write = 8
[[point]]
id = "b"
device = "m"
[chaos]
frame = "length"
unit = [3, 3]
"#,
        );
        let expected = [
            "1:11: `version = 2` is not known (`version = 1`)",
            "2:11: a timeout of 1ms cannot be tested (50ms to 5s)",
            "5:1: `{address}` stands nowhere in `[link]` (put it where the driver takes host and port)",
            "19:6: a second point `b` of `m` (give it another `id`)",
            "11:10: no device `n` (one of `m`)",
            "17:9: `write` at a point that is only read (`access = \"read-write\"`)",
            "19:6: a point that is read needs a `value` (what the device holds there)",
            "16:9: `7` is a value of `a` too (let all values differ, so that any mix-up is noticed)",
            "21:1: `frame = \"length\"` without a `length` (`length = { at = [4, 6], plus = 6 }`: where it stands, and how many bytes it does not count)",
            "23:8: [3, 3] holds no byte (the first byte, counted from 0, and the one after the last)",
            "3:1: `{port}` stands nowhere in `command` (put it where the program takes its port)",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_message_has_one_kind_of_end() {
        let wrong = |chaos: &str| problems(&format!("{HEAD}[chaos]\n{chaos}")).join("; ");
        assert!(wrong("frame = \"end\"").contains("`frame = \"end\"` without an `end`"));
        assert!(wrong("frame = \"end\"\nend = \"\"").contains("without an `end`"));
        assert!(wrong("frame = \"line\"\nend = \"*\"").contains("an `end` without `frame = \"end\"`"));
        assert!(!wrong("frame = \"end\"\nend = \"*\"").contains("`end`"), "only what else is missing is told");
    }

    #[test]
    fn a_datagram_has_no_frame() {
        let peer = "[peer]\naddress = \"127.0.0.1:9\"\ntransport = \"udp\"\n[chaos]\nframe = \"line\"\n";
        let found = problems(&format!("{HEAD}{peer}")).join("; ");
        assert!(found.contains("6:1: a `frame` over UDP (leave it out: a datagram is a message)"), "{found}");
        assert!(problems(&format!("{HEAD}[peer]\ntransport = \"sctp\"\n"))[0].contains("unknown variant `sctp`"));
    }

    #[test]
    fn the_example_of_the_readme_is_valid() {
        let readme = include_str!("../../README.md");
        let example = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let subject = Subject::parse(example, ".").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((subject.points.len(), subject.refused.len(), subject.invalid.len()), (2, 1, 1));
        assert_eq!(subject.chaos.id, Some(0..2));
    }

    #[test]
    fn another_layout_is_told_with_its_line() {
        let found = problems(&format!("{HEAD}[chaos]\nframe = \"lines\"\n"));
        assert!(found[0].starts_with("4:9: unknown variant `lines`"), "{found:?}");
        let found = problems("version = 1\ntimeout = 200\n");
        assert!(found[0].starts_with("2:11: invalid type: integer"), "{found:?}");
        let found = problems(&format!("{HEAD}[[device]\n"));
        assert!(found[0].starts_with("3:"), "{found:?}");
    }

    #[test]
    fn a_driver_without_a_wire_needs_no_peer() {
        let text = format!("{HEAD}[link]\n[[device]]\nid = \"m\"\n[[point]]\nid = \"a\"\ndevice = \"m\"\nvalue = 1\n");
        let subject = Subject::parse(&text, ".").expect("valid");
        assert!(subject.peer.is_none());
        assert_eq!(subject.name(edgeway_sdk::PointIx(0)), "m.a");
        let with_chaos = problems(&format!("{text}[chaos]\ngarbage = true\n"));
        assert_eq!(with_chaos, ["10:1: `[chaos]` without a `[peer]` (without a wire there is nothing to damage)"]);
    }

    #[test]
    fn an_error_names_the_file() {
        let error = Subject::parse("version = 1", "/somewhere").expect_err("no timeout");
        assert_eq!(error.to_string(), "/somewhere/conformance.toml:1:1: missing field `timeout`");
        let error = Subject::read("/nowhere/conformance.toml").expect_err("no file");
        assert!(error.to_string().starts_with("/nowhere/conformance.toml: the file cannot be read: "), "{error}");
    }
}
