//! What answers look like: JSON, and JSON that says why there is no answer.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::review::params::FieldError;
use crate::review::text::json_line;
use crate::web::Problem;

/// A value as an answer.
pub(super) fn json(value: &impl Serialize) -> Result<Response, Refusal> {
    Ok(json_text(line(value)?))
}

/// A value as JSON, in which nothing moves a terminal's cursor.
pub(super) fn line(value: &impl Serialize) -> Result<String, Problem> {
    json_line(value).map_err(|error| Problem::Failed(format!("The answer cannot be written as JSON: {error}.")))
}

/// What is JSON already.
pub(super) fn json_text(line: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], line + "\n").into_response()
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// A sentence for people.
    message: String,
    /// The parameters that make no sense, all of them.
    fields: Vec<FieldError>,
}

impl Refusal {
    /// These parameters make no sense.
    pub(super) fn of_fields(fields: Vec<FieldError>) -> Self {
        let names: Vec<_> = fields.iter().map(|wrong| format!("{:?}", wrong.field)).collect();
        let message = match &*names {
            [only] => format!("The parameter {only} makes no sense."),
            _ => format!("The parameters {} make no sense.", names.join(", ")),
        };
        Self { status: StatusCode::BAD_REQUEST, message, fields }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let message = match &problem {
            Problem::Building(None) => "The index of the records is being built: try again.".to_owned(),
            Problem::Building(Some(progress)) => format!(
                "The index of the records is being built: {} of {} files are read. Try again.",
                progress.done, progress.total
            ),
            other => other.sentence(),
        };
        Self { status: problem.status(), message, fields: Vec::new() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let fields = self.fields.iter();
        let fields = fields.map(|wrong| json!({"field": wrong.field, "value": wrong.value, "message": wrong.sentence}));
        let fields: Vec<_> = fields.collect();
        let error = json!({"error": {"status": self.status.as_u16(), "message": self.message, "fields": fields}});
        let mut response = json(&error).unwrap_or_else(|_| Body::empty().into_response());
        *response.status_mut() = self.status;
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// What the way to the endpoints says, as they say it.
pub(in crate::web) fn refused(problem: &Problem) -> Response {
    Refusal::from(problem.clone()).into_response()
}

pub(super) async fn no_such_endpoint() -> Refusal {
    Problem::NotFound("There is no such endpoint: /api/v1/openapi.json names those there are.".to_owned()).into()
}

pub(super) async fn no_such_method() -> Refusal {
    let message = "Nothing can be changed through this API: use GET.".to_owned();
    Refusal { status: StatusCode::METHOD_NOT_ALLOWED, message, fields: Vec::new() }
}
