//! Which query feeds which.

/// An order in which every query comes after those that it reads, without the queries in a circle and those behind
/// them; and the circles.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) order: Vec<usize>,
    pub(crate) circles: Vec<Vec<usize>>,
}

/// Orders queries; `reads[i]` are those that query `i` reads.
pub(crate) fn order(reads: &[Vec<usize>]) -> Order {
    let mut search = Search { reads, marks: vec![Mark::New; reads.len()], path: vec![], found: Order::default() };
    for query in 0..reads.len() {
        search.visit(query);
    }
    search.found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    OnPath,
    Ordered,
    /// In a circle, or behind one.
    Stuck,
}

struct Search<'a> {
    reads: &'a [Vec<usize>],
    marks: Vec<Mark>,
    path: Vec<usize>,
    found: Order,
}

impl Search<'_> {
    /// True if the query could be ordered.
    fn visit(&mut self, query: usize) -> bool {
        match self.marks[query] {
            Mark::Ordered => return true,
            Mark::Stuck => return false,
            Mark::OnPath => {
                let from = self.path.iter().position(|on_path| *on_path == query).unwrap_or(0);
                self.found.circles.push(self.path[from..].to_vec());
                return false;
            }
            Mark::New => {}
        }
        self.marks[query] = Mark::OnPath;
        self.path.push(query);
        let reads = self.reads;
        // All are visited, also behind one that is stuck.
        let stuck = reads[query].iter().filter(|&&read| !self.visit(read)).count();
        let ordered = stuck == 0;
        self.path.pop();
        self.marks[query] = if ordered { Mark::Ordered } else { Mark::Stuck };
        if ordered {
            self.found.order.push(query);
        }
        ordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_comes_after_those_that_it_reads() {
        assert_eq!(order(&[vec![2], vec![0, 2], vec![]]), Order { order: vec![2, 0, 1], circles: vec![] });
    }

    #[test]
    fn a_circle_is_found_once_and_what_is_behind_it_left_out() {
        let found = order(&[vec![1], vec![2], vec![1], vec![]]);
        assert_eq!(found, Order { order: vec![3], circles: vec![vec![1, 2]] });
        assert_eq!(order(&[vec![0]]).circles, [[0]]);
    }
}
