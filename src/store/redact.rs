//! Takes secrets out of an exchange before anything of it is written (design D9).
//!
//! The rules are those of [`crate::redaction`]. Redacting what is redacted already changes nothing: heads are redacted when they go into the spool, and again when
//! they come back from it.

use std::borrow::Cow;

use crate::exchange::Exchange;
use crate::observer::Fields;
pub(super) use crate::redaction::{MARK, body, body_is_secret, push_token};
use crate::redaction::{field, url, user_info};

/// Takes the secrets out of targets, header fields and trailers.
pub(super) fn heads(exchange: &mut Exchange) {
    let request = &mut exchange.request;
    target(&mut request.head.target);
    if let Some(authority) = &mut request.head.authority
        && let Cow::Owned(redacted) = user_info(authority)
    {
        *authority = redacted;
    }
    fields(&mut request.head.pseudo);
    fields(&mut request.head.fields);
    request.trailers.iter_mut().for_each(fields);
    exchange.interim.iter_mut().for_each(|head| fields(&mut head.fields));
    if let Some(response) = &mut exchange.response {
        fields(&mut response.head.fields);
        response.trailers.iter_mut().for_each(fields);
    }
}

fn target(target: &mut Vec<u8>) {
    if let Cow::Owned(redacted) = url(target) {
        *target = redacted;
    }
}

fn fields(fields: &mut Fields) {
    // Most messages have no secret or one, so nothing is copied before the first.
    let Some(first) = fields.iter().position(|(name, value)| matches!(field(name, value), Cow::Owned(_))) else {
        return;
    };
    let mut redacted = Fields::default();
    redacted.reserve();
    for (index, (name, value)) in fields.iter().enumerate() {
        match index < first {
            true => redacted.push(name, value),
            false => redacted.push(name, &field(name, value)),
        }
    }
    *fields = redacted;
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
