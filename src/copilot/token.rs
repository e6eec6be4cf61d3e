//! The Copilot token as an identity: `tid=…;exp=…;sku=…:signature`.

/// The `tid` field of an `Authorization` value: the tracking id of a person, also in telemetry (`ai.user.id`).
#[must_use]
pub fn tracking_id(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let fields = token.split(':').next()?;
    let tid = fields.split(';').find_map(|field| field.trim().strip_prefix("tid="))?;
    (scheme.eq_ignore_ascii_case("bearer") && !tid.is_empty()).then_some(tid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_found_and_nothing_else() {
        assert_eq!(tracking_id("Bearer tid=5e1e;exp=17:<redacted>"), Some("5e1e"));
        assert_eq!(tracking_id("bearer  exp=17;tid=5e1e;sku=x"), Some("5e1e"));
        for text in ["", "Bearer", "Bearer x", "Bearer tid=;exp=1", "token tid=5e1e", "Bearer a=b:tid=5e1e"] {
            assert_eq!(tracking_id(text), None, "{text}");
        }
    }
}
