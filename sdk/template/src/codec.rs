//! Lines to numbers and back, pure.

/// A register of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Register {
    pub(crate) unit: u8,
    pub(crate) at: u16,
}

/// What a device says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The register holds this.
    Holds(i64),
    /// It refuses, for the reason of this number.
    Refuses(u8),
}

impl Register {
    /// The line that asks for it.
    pub(crate) fn read(self) -> String {
        format!("R {} {}\n", self.unit, self.at)
    }

    /// The line that writes it.
    pub(crate) fn write(self, value: i64) -> String {
        format!("W {} {} {value}\n", self.unit, self.at)
    }

    /// What a line says about this register; nothing if it is about another one, or no answer at all.
    pub(crate) fn answer(self, line: &str) -> Option<Answer> {
        let mut words = line.trim_end().split(' ');
        let (unit, at, value) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || unit.parse() != Ok(self.unit) || at.parse() != Ok(self.at) {
            return None;
        }
        match value.strip_prefix('!') {
            Some(code) => code.parse().ok().map(Answer::Refuses),
            None => value.parse().ok().map(Answer::Holds),
        }
    }
}

/// What a refusal means, for the operator.
pub(crate) fn refusal(code: u8) -> &'static str {
    match code {
        1 => "the device does not know the question",
        2 => "there is no such register",
        3 => "the register cannot be written",
        _ => "the device refuses it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_the_question_is_one() {
        let register = Register { unit: 7, at: 12 };
        assert_eq!(register.read(), "R 7 12\n");
        assert_eq!(register.write(-3), "W 7 12 -3\n");
        assert_eq!(register.answer("7 12 3405\n"), Some(Answer::Holds(3405)));
        assert_eq!(register.answer("7 12 !2\r\n"), Some(Answer::Refuses(2)));
        for line in ["7 13 3405\n", "8 12 3405\n", "7 12\n", "7 12 34x5\n", "7 12 1 2\n", "7  12 3\n", "\n"] {
            assert_eq!(register.answer(line), None, "{line:?}");
        }
    }
}
