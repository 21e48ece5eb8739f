//! Mistakes with their places, collected, so that one run can tell all of them.

use std::collections::HashMap;

use super::origin::Origin;
use super::problem::Problem;

/// The maximum number of mistakes that are told; nobody reads more.
pub(super) const MAX_TOLD: usize = 1_000;

/// A mistake and its place.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) origin: Origin,
    pub(crate) problem: Box<Problem>,
    /// The account it concerns, where the place does not tell.
    pub(crate) account: Option<String>,
}

impl Fault {
    pub(crate) fn new(origin: &Origin, problem: impl Into<Problem>) -> Self {
        Self {
            origin: origin.clone(),
            problem: Box::new(problem.into()),
            account: None,
        }
    }

    /// The same, with the account named.
    pub(crate) fn of(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }
}

/// The mistakes in settings. As an error it holds at least one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Adds what went wrong, if anything did; the value where nothing did.
    pub(super) fn keep<T>(&mut self, result: Result<T, impl Into<Self>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(faults) => {
                self.0.extend(faults.into().0);
                None
            }
        }
    }

    /// All is well, or these.
    pub(super) fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves out what `superfluous` says.
    pub(super) fn without(mut self, superfluous: impl Fn(&Fault) -> bool) -> Self {
        self.0.retain(|fault| !superfluous(fault));
        self
    }

    /// The same, but for the place of those for which `is_moved` is true of theirs.
    pub(super) fn moved(mut self, is_moved: impl Fn(&Origin) -> bool, to: &Origin) -> Self {
        let moved = self.0.iter_mut().filter(|fault| is_moved(&fault.origin));
        moved.for_each(|fault| fault.origin = to.clone());
        self
    }

    /// The same, each with the account named.
    pub(super) fn of(self, account: &str) -> Self {
        Self(self.0.into_iter().map(|fault| fault.of(account)).collect())
    }

    /// So many at most. What is wrong with `[defaults]` is found in every account, and told once,
    /// for none of them.
    pub(super) fn distinct(self, most: usize) -> Vec<Fault> {
        let mut kept: Vec<Fault> = Vec::new();
        let mut places: HashMap<Origin, Vec<usize>> = HashMap::new();
        for fault in self.0 {
            let here = places.entry(fault.origin.clone()).or_default();
            let same = here.iter().find(|at| kept[**at].problem == fault.problem);
            if let Some(at) = same {
                if kept[*at].account != fault.account {
                    kept[*at].account = None;
                }
            } else if kept.len() < most {
                here.push(kept.len());
                kept.push(fault);
            }
        }
        kept
    }
}

impl FromIterator<Self> for Faults {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        Self(all.into_iter().flat_map(|faults| faults.0).collect())
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl From<Faults> for Fault {
    /// The first of them.
    fn from(mut faults: Faults) -> Self {
        // An error has one at least.
        faults.0.swap_remove(0)
    }
}
