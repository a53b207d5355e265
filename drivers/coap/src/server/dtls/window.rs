//! Which records have come already (RFC 6347 section 4.1.2.6). Pure.

/// The last 64 numbers. What is older counts as having come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    /// After the highest that has come.
    next: u64,
    /// Bit n stands for the one n before the highest.
    come: u64,
}

impl Window {
    pub(super) fn is_new(self, number: u64) -> bool {
        let Some(age) = (self.next).checked_sub(number + 1) else { return true };
        age < 64 && self.come & (1 << age) == 0
    }

    /// Notes one that is new.
    pub(super) fn add(&mut self, number: u64) {
        match self.next.checked_sub(number + 1) {
            Some(age) => self.come |= 1 << age,
            None => {
                let ahead = number + 1 - self.next;
                self.come = if ahead < 64 { self.come << ahead } else { 0 } | 1;
                self.next = number + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_late_is_taken_and_what_comes_again_is_not() {
        let mut window = Window::default();
        let mut taken = |number| {
            let is_new = window.is_new(number);
            if is_new {
                window.add(number);
            }
            is_new
        };
        assert_eq!([0, 0, 3, 1, 1, 3, 2, 2].map(&mut taken), [true, false, true, true, false, false, true, false]);
        assert_eq!([100, 37, 36, 37, 99, 100].map(&mut taken), [true, true, false, false, true, false]);
        assert_eq!([1 << 40, 100, (1 << 40) - 63].map(&mut taken), [true, false, true]);
    }
}
