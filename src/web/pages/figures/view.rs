//! What is looked at: the figures, and the filters by which they came.

use crate::figures::By;
use crate::review::params::{FiguresParams, is_one_value};
use crate::review::tally::Overview;

/// The figures and their filters.
pub(super) struct View<'a> {
    pub(super) params: &'a FiguresParams,
    pub(super) overview: &'a Overview,
    /// There is only one user to be seen.
    pub(super) is_own: bool,
}

impl View<'_> {
    /// The same figures of one group alone.
    pub(super) fn link(&self, by: By, group: &str) -> Option<String> {
        if !is_one_value(group) {
            return None;
        }
        let only = vec![group.to_owned()];
        let params = FiguresParams { by: None, ..self.params.clone() };
        let params = match by {
            By::User => FiguresParams { user: only, ..params },
            By::Language => FiguresParams { language: only, ..params },
            // A filter by editor takes no version.
            By::Editor if !group.contains('/') => FiguresParams { editor: only, ..params },
            By::Model => FiguresParams { model: only, ..params },
            By::Kind => FiguresParams { kind: only, ..params },
            By::Editor | By::Day | By::Hour => return None,
        };
        Some(format!("/figures?{}", params.to_query()))
    }

    /// The rows as CSV; of none, the total.
    pub(super) fn csv(&self, by: Option<By>) -> String {
        let query = self.params.split(by).to_query();
        if query.is_empty() { "/figures.csv".to_owned() } else { format!("/figures.csv?{query}") }
    }
}
