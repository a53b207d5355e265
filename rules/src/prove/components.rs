//! Which parts of a graph can be walked in circles, and the circles.

/// The most steps of a search for circles.
const SEARCH_STEPS_MAX: usize = 20_000;

/// Vertices that lead to each other, each list in ascending order. Vertices that lead back to nothing are left out.
///
/// Tarjan's algorithm, with a stack of its own instead of recursion.
pub(super) fn components(next: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut search = Search { next, number: vec![0; next.len()], low: vec![0; next.len()], ..Search::default() };
    for start in 0..next.len() as u32 {
        if search.number[start as usize] == 0 {
            search.from(start);
        }
    }
    search.found
}

#[derive(Default)]
struct Search<'a> {
    next: &'a [Vec<u32>],
    /// In the order of discovery, from 1; 0 for those not yet seen.
    number: Vec<u32>,
    /// The lowest number that can be reached.
    low: Vec<u32>,
    count: u32,
    open: Vec<u32>,
    found: Vec<Vec<u32>>,
}

/// The number of a vertex whose component is complete.
const DONE: u32 = u32::MAX;

impl Search<'_> {
    fn from(&mut self, start: u32) {
        let mut path = vec![(start, 0)];
        self.discover(start);
        while let Some((at, child)) = path.last_mut() {
            let at = *at as usize;
            match self.next[at].get(*child) {
                Some(next) => {
                    *child += 1;
                    match self.number[*next as usize] {
                        0 => {
                            self.discover(*next);
                            path.push((*next, 0));
                        }
                        DONE => {}
                        number => self.low[at] = self.low[at].min(number),
                    }
                }
                None => {
                    path.pop();
                    if let Some((parent, _)) = path.last() {
                        self.low[*parent as usize] = self.low[*parent as usize].min(self.low[at]);
                    }
                    if self.low[at] == self.number[at] {
                        self.close(at as u32);
                    }
                }
            }
        }
    }

    fn discover(&mut self, vertex: u32) {
        self.count += 1;
        self.number[vertex as usize] = self.count;
        self.low[vertex as usize] = self.count;
        self.open.push(vertex);
    }

    fn close(&mut self, first: u32) {
        let Some(at) = self.open.iter().rposition(|vertex| *vertex == first) else { return };
        let mut component = self.open.split_off(at);
        component.iter().for_each(|vertex| self.number[*vertex as usize] = DONE);
        if component.len() > 1 || self.next[first as usize].contains(&first) {
            component.sort_unstable();
            self.found.push(component);
        }
    }
}

/// Visits circles that pass no vertex twice, the shortest first, each once, until the visitor says that it is enough.
/// With very many ways to walk the search ends early.
pub(super) fn circles<'a>(vertices: &[u32], next: impl Fn(u32) -> &'a [u32], mut visit: impl FnMut(&[u32]) -> bool) {
    let mut shorter = 0;
    for longest in [1, 2, 3, 4, 6, 8, usize::MAX] {
        let mut steps = 0;
        for start in vertices {
            let mut path = vec![*start];
            let mut places = vec![0];
            while let (Some(at), Some(place)) = (path.last(), places.last_mut()) {
                let Some(to) = next(*at).get(*place).copied().filter(|_| steps < SEARCH_STEPS_MAX) else {
                    path.pop();
                    places.pop();
                    continue;
                };
                *place += 1;
                steps += 1;
                if to == *start {
                    if path.len() > shorter && !visit(&path) {
                        return;
                    }
                } else if to > *start && path.len() < longest && !path.contains(&to) {
                    path.push(to);
                    places.push(0);
                }
            }
        }
        shorter = longest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let mut next = vec![vec![]; 8];
        edges.iter().for_each(|(from, to)| next[*from as usize].push(*to));
        next
    }

    fn all_circles(edges: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let next = graph(edges);
        let mut found = vec![];
        for component in components(&next) {
            circles(
                &component,
                |vertex| &next[vertex as usize],
                |circle| {
                    found.push(circle.to_vec());
                    true
                },
            );
        }
        found
    }

    #[test]
    fn only_what_leads_back_is_a_component() {
        let next = graph(&[(0, 1), (1, 2), (2, 1), (3, 3), (4, 5)]);
        assert_eq!(components(&next), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn each_circle_comes_once_and_the_shortest_first() {
        let found = all_circles(&[(0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (2, 2)]);
        assert_eq!(found, [vec![2], vec![0, 1], vec![1, 2], vec![0, 1, 2]]);
    }

    #[test]
    fn where_everything_leads_everywhere_the_search_ends() {
        let edges: Vec<(u32, u32)> = (0..8).flat_map(|from| (0..8).map(move |to| (from, to))).collect();
        let found = all_circles(&edges);
        assert!(found.len() > 8 + 28, "{}", found.len());
    }
}
