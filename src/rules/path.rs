//! Request paths: patterns of them, and the model that one names.

/// `**/v1/engines/*/completions`: segments, any one segment for `*`, any number for `**` in front or at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern {
    /// Begins with `**`.
    anywhere: bool,
    segments: Vec<Segment>,
    /// Ends with `**`.
    open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Any,
    Is(String),
}

impl PathPattern {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (anywhere, rest) = match text.strip_prefix("**/") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('/').ok_or("it begins with a slash or with **/")?),
        };
        let (open, rest) = match rest.strip_suffix("/**") {
            Some(rest) => (true, rest),
            None => (rest == "**", rest.strip_suffix("**").unwrap_or(rest)),
        };
        let segments: Vec<_> = rest
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| match segment {
                "*" => Ok(Segment::Any),
                _ if segment.contains(['*', '?']) => {
                    Err("a star stands for a whole segment, and the query is not tested")
                }
                _ => Ok(Segment::Is(segment.to_owned())),
            })
            .collect::<Result<_, _>>()?;
        if anywhere && segments.is_empty() {
            return Err("it matches everything: leave it out");
        }
        Ok(Self { anywhere, segments, open })
    }

    /// `target` is a request target; its query is ignored.
    pub(super) fn matches(&self, target: &str) -> bool {
        let path = path(target);
        if !self.anywhere {
            return self.matches_from(path);
        }
        // Each slash begins a place where the segments may stand.
        path.match_indices('/').any(|(at, _)| self.matches_from(&path[at..]))
    }

    fn matches_from(&self, path: &str) -> bool {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut rest = path.split('/').filter(|segment| !segment.is_empty());
        let found = self.segments.iter().all(|wanted| match (wanted, rest.next()) {
            (Segment::Any, Some(_)) => true,
            (Segment::Is(wanted), Some(segment)) => wanted == segment,
            (_, None) => false,
        });
        found && (self.open || rest.next().is_none())
    }
}

/// The model that a path names: `/v1/engines/{model}/completions`, `/models/{model}/chat/completions`. What has nothing
/// after it, as `/models/session`, is none; nor is an empty one.
#[must_use]
pub fn model_in_path(path: &str) -> Option<&str> {
    let mut segments = path.split('/');
    segments.find(|&segment| segment == "engines" || segment == "models")?;
    let model = segments.next().filter(|model| !model.is_empty())?;
    segments.next().map(|_| model)
}

/// The path of a request target in origin form or absolute form (RFC 9112 section 3.2).
fn path(target: &str) -> &str {
    let target = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    target.split(['?', '#']).next().unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, target: &str) -> bool {
        PathPattern::parse(pattern).unwrap().matches(target)
    }

    #[test]
    fn exact_suffix_prefix_and_anywhere() {
        assert!(matches("/telemetry", "/telemetry?api-version=1"));
        assert!(matches("/telemetry", "/telemetry/"));
        assert!(!matches("/telemetry", "/telemetry/x"));
        assert!(!matches("/telemetry", "/x/telemetry"));

        assert!(matches("**/v1/engines/*/completions", "/v1/engines/gpt-41-copilot/completions"));
        assert!(matches("**/v1/engines/*/completions", "/a/b/v1/engines/x/completions?y#z"));
        assert!(!matches("**/v1/engines/*/completions", "/v1/engines/completions"));
        assert!(!matches("**/v1/engines/*/completions", "/v1/engines/a/b/completions"));
        assert!(!matches("**/v1/engines/*/completions", "/v1/engines/a/completions/x"));
        assert!(!matches("**/chat/completions", "/nochat/completions"));
        assert!(!matches("**/chat/completions", "/x?/chat/completions"));

        for target in ["/mcp", "/mcp/", "/mcp/readonly", "/mcp/x/y?z"] {
            assert!(matches("/mcp/**", target), "{target}");
        }
        assert!(!matches("/mcp/**", "/mcpx"));
        assert!(matches("**/copilot_internal/**", "/api/v3/copilot_internal/v2/token"));
        assert!(matches("**/copilot_internal/**", "/copilot_internal"));
        assert!(matches("/**", "/"));
    }

    #[test]
    fn targets_in_absolute_form() {
        assert!(matches("/telemetry", "https://host.example/telemetry?x"));
        assert!(matches("/**", "https://host.example"));
        assert!(!matches("/telemetry", "/x://host/telemetry"));
        assert!(!matches("**/a", "*"));
    }

    #[test]
    fn a_model_stands_before_the_end_of_a_path() {
        for (path, model) in [
            ("/v1/engines/copilot-codex/completions", Some("copilot-codex")),
            ("/models/m-1/chat/completions", Some("m-1")),
            ("/models/m-1/", Some("m-1")),
            ("/models/session", None),
            ("/models", None),
            ("/models//completions", None),
            ("/v1/messages", None),
            ("", None),
        ] {
            assert_eq!(model_in_path(path), model, "{path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "telemetry", "*/x", "/a*b", "/x?y", "**/", "**/**", "/a/**/b"] {
            assert!(PathPattern::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_suffix_matches_after_anything(front in "(/[a-z*?#:]{0,5}){0,5}", target in "\\PC{0,40}") {
            let pattern = PathPattern::parse("**/x/*/y").unwrap();
            pattern.matches(&target);
            let front = front.replace(['?', '#'], "");
            let target = format!("{front}/x/1/y");
            prop_assert!(pattern.matches(&target));
        }
    }
}
