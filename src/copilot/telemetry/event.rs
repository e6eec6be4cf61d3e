//! What events say that the index and the figures ask for.
//!
//! Clients differ in whether a value is a property or a measurement: both places are looked at. Empty text is none.

use super::Event;

/// A `timeout` of so much and more is in milliseconds: the longest in seconds is 600.
const MILLISECONDS_FROM: u64 = 1000;
/// Beyond this a number of a client is no count: JSON's numbers are not exact there.
const COUNT_MAX: f64 = 9_007_199_254_740_992.0;

impl Event {
    /// `unique_id`: the same in each copy of the event.
    #[must_use]
    pub fn unique_id(&self) -> Option<&str> {
        self.text("unique_id")
    }

    /// `headerRequestId`: `X-Request-Id` of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.text("headerRequestId")
    }

    /// `choiceIndex`.
    #[must_use]
    pub fn choice(&self) -> Option<i64> {
        let number = self.number("choiceIndex")?;
        // The range is checked and there is no fraction: the cast is exact.
        (number.abs() <= COUNT_MAX && number.fract() == 0.0).then_some(number as i64)
    }

    /// `clientCompletionId`: one suggestion, as the client counts them.
    #[must_use]
    pub fn completion(&self) -> Option<&str> {
        self.text("clientCompletionId")
    }

    /// `opportunityId`: one opportunity in the editor.
    #[must_use]
    pub fn opportunity(&self) -> Option<&str> {
        self.text("opportunityId")
    }

    /// `languageId`, else `activeDocumentLanguageId` (next edits).
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.text("languageId").or_else(|| self.text("activeDocumentLanguageId"))
    }

    /// The editor without its version: what stands before the `/` of `editor_version`, else of `common_vscodeversion`
    /// (`common.vscodeversion` in Microsoft's own stream), whose version alone is `vscode`.
    #[must_use]
    pub fn editor(&self) -> Option<&str> {
        let name = |text: &'_ str| text.split('/').next().map(str::len).unwrap_or_default();
        if let Some(text) = self.text("editor_version") {
            return Some(&text[..name(text)]).filter(|name| !name.is_empty());
        }
        let text = self.text("common_vscodeversion").or_else(|| self.text("common.vscodeversion"))?;
        match text.split_once('/') {
            Some((name, _)) => Some(name).filter(|name| !name.is_empty()),
            None => Some("vscode"),
        }
    }

    /// `engineName`, else `modelName` (next edits), else `modelId` (chat).
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.text("engineName").or_else(|| self.text("modelName")).or_else(|| self.text("modelId"))
    }

    /// `reason`: where a suggestion came from, or why there is none.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.text("reason")
    }

    /// `acceptance` of a next edit: `accepted`, `notAccepted`, `rejected`.
    #[must_use]
    pub fn acceptance(&self) -> Option<&str> {
        self.text("acceptance")
    }

    /// `client_machineid`: `VScode-MachineId` of the requests.
    #[must_use]
    pub fn machine(&self) -> Option<&str> {
        self.text("client_machineid").or_else(|| self.text("common_vscodemachineid"))
    }

    /// `client_sessionid`: `VScode-SessionId` of the requests.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.text("client_sessionid").or_else(|| self.text("common_vscodesessionid"))
    }

    /// `compCharLen`: characters shown or accepted.
    #[must_use]
    pub fn chars(&self) -> Option<u64> {
        self.count("compCharLen")
    }

    /// `numLines`: lines shown or accepted.
    #[must_use]
    pub fn lines(&self) -> Option<u64> {
        self.count("numLines")
    }

    /// `timeout` of `ghostText.stillInCode` in seconds; 1000 and more are taken for milliseconds.
    #[must_use]
    pub fn timeout(&self) -> Option<u64> {
        self.count("timeout").map(|after| if after >= MILLISECONDS_FROM { after / 1000 } else { after })
    }

    /// Whether `stillInCodeHeuristic` is 1.
    #[must_use]
    pub fn still(&self) -> Option<bool> {
        self.flag("stillInCodeHeuristic")
    }

    /// `isShown` (next edits): 1, or `true`.
    #[must_use]
    pub fn shown(&self) -> Option<bool> {
        self.flag("isShown")
    }

    /// `timeToProduceMs`: from the opportunity to the suggestion.
    #[must_use]
    pub fn produce_ms(&self) -> Option<f64> {
        self.number("timeToProduceMs")
    }

    /// `totalTimeMs` of `request.response`: what the client waited for the response's head.
    #[must_use]
    pub fn total_ms(&self) -> Option<f64> {
        self.number("totalTimeMs")
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn number(&self, key: &str) -> Option<f64> {
        let measured = self.measurements.get(key).copied();
        measured.or_else(|| number(self.text(key)?))
    }

    fn count(&self, key: &str) -> Option<u64> {
        let number = self.number(key)?;
        // As in `choice`, the cast is exact.
        (0.0..=COUNT_MAX).contains(&number).then_some(number).filter(|number| number.fract() == 0.0).map(|n| n as u64)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        match (self.number(key), self.text(key)) {
            (Some(number), _) => Some(number == 1.0),
            (None, Some("true")) => Some(true),
            (None, Some("false")) => Some(false),
            _ => None,
        }
    }
}

/// A finite number, as clients write it.
pub(super) fn number(text: &str) -> Option<f64> {
    // Rust also reads "inf" and "nan"; both are no numbers here.
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
