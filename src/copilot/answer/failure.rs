//! Errors, in the forms in which answers carry them.

use super::Failure;
use super::wire::Event;
use crate::copilot::json::{List, Raw, Text, node};

node! {
    /// `error`, and one of `copilot_errors`.
    ErrorNode<'a> {
        "code" => code: Raw<'a>,
        "type" => kind: Text<'a>,
        "message" => message: Text<'a>,
    }
}

impl ErrorNode<'_> {
    fn failure(&self) -> Failure {
        let code = self.code.scalar().map(std::borrow::Cow::into_owned).filter(|code| !code.is_empty());
        Failure {
            code: code.or_else(|| self.kind.to_owned()),
            message: self.message.get().unwrap_or_else(|| self.plain.or_empty()).to_owned(),
        }
    }
}

/// `{"code":…,"message":…}`, or a string. None of anything else, and where it says nothing.
pub(super) fn of(error: Raw<'_>) -> Option<Failure> {
    if !error.is_some() {
        return None;
    }
    let failure = error.read::<ErrorNode<'_>>().failure();
    (failure != Failure::default()).then_some(failure)
}

/// The first of a list.
pub(super) fn first(errors: Raw<'_>) -> Option<Failure> {
    if !errors.is_list() {
        return None;
    }
    let list: List<ErrorNode<'_>> = errors.read();
    list.items.first().map(ErrorNode::failure)
}

/// Of an event of the type `error`: nested, or flat in the event itself.
pub(super) fn flat(event: &Event<'_>) -> Failure {
    of(event.error).unwrap_or_else(|| Failure {
        code: event.code.scalar().map(std::borrow::Cow::into_owned),
        message: event.message.read::<Text<'_>>().or_empty().to_owned(),
    })
}

/// Whether a nested error is one of Messages, which has a `type` and no `code`.
pub(super) fn is_messages(error: Raw<'_>) -> bool {
    let node: ErrorNode<'_> = error.read();
    node.kind.filled().is_some() && !node.code.is_some()
}
