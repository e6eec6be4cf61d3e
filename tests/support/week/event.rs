//! Telemetry events: what they look like, and what they tell.

use serde_json::{Map, Value, json};

use super::calendar::zulu;
use super::cast::Seat;
use super::truth::{Look, Seen};

const STANDARD: &str = "7d7048df-6dd0-4048-bb23-b716c1461f8f";
const ENHANCED: &str = "3fdd7f28-937a-48c8-9a21-ba337db23bd1";

/// One event, sent or lost.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Microseconds since 1970, whole milliseconds: clients tell no more.
    pub(super) time: i64,
    /// Without the sender's prefix.
    pub(super) name: &'static str,
    pub(super) enhanced: bool,
    pub(super) exception: bool,
    pub(super) properties: Vec<(&'static str, String)>,
    pub(super) measurements: Vec<(&'static str, f64)>,
    /// Without `editor_version`.
    pub(super) no_editor: bool,
    /// Without `tid`, and sent over a connection without login: only its request says whose it is.
    pub(super) anonymous: bool,
    /// It never arrives.
    pub(super) lost: bool,
    pub(super) tells: Tells,
}

/// What an event means for the figures.
#[derive(Clone, Debug)]
pub(super) enum Tells {
    Nothing,
    /// The client waited so many milliseconds for the head of that request's response.
    Waited(String, f64),
    Shown(usize, Seen),
    Accepted(usize, Seen),
    /// Suggestion, seconds after its acceptance, whether it is still there.
    Still(usize, u64, bool),
    Edit(usize, Look),
}

impl Event {
    pub(super) fn new(time: i64, name: &'static str) -> Self {
        Self {
            time: time / 1000 * 1000,
            name,
            enhanced: false,
            exception: false,
            properties: Vec::new(),
            measurements: Vec::new(),
            no_editor: false,
            anonymous: false,
            lost: false,
            tells: Tells::Nothing,
        }
    }

    pub(super) fn with(mut self, key: &'static str, value: &str) -> Self {
        self.properties.push((key, value.to_owned()));
        self
    }

    pub(super) fn maybe(self, key: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    pub(super) fn measured(mut self, key: &'static str, value: f64) -> Self {
        self.measurements.push((key, value));
        self
    }

    pub(super) fn telling(mut self, tells: Tells) -> Self {
        self.tells = tells;
        self
    }

    /// As the client sends it. `unique`: its `unique_id`, the same in every copy.
    pub(super) fn envelope(&self, seat: &Seat, unique: Option<&str>) -> Value {
        let key = if self.enhanced { ENHANCED } else { STANDARD };
        let tid = seat.tracked.as_deref().filter(|_| !self.anonymous);
        let mut tags = json!({"ai.session.id": seat.session, "ai.cloud.roleInstance": "REDACTED"});
        let mut properties = Map::new();
        if let Some(tid) = tid {
            tags["ai.user.id"] = json!(tid);
            properties.insert("copilot_trackingId".to_owned(), json!(tid));
        }
        if !self.no_editor {
            properties.insert("editor_version".to_owned(), json!(seat.editor.version));
        }
        properties.insert("client_machineid".to_owned(), json!(seat.machine));
        if let Some(unique) = unique {
            properties.insert("unique_id".to_owned(), json!(unique));
        }
        for (name, value) in &self.properties {
            insert_split(&mut properties, name, value);
        }
        let measurements: Map<String, Value> =
            self.measurements.iter().map(|(name, value)| ((*name).to_owned(), tidy(*value))).collect();
        let (base_type, what) = match self.exception {
            true => ("ExceptionData", "Exception"),
            false => ("EventData", "Event"),
        };
        let mut base = json!({"ver": 2, "properties": properties, "measurements": measurements});
        if self.exception {
            base["exceptions"] = json!([{"typeName": "Error", "message": "socket hang up", "hasFullStack": true}]);
        } else {
            base["name"] = json!(format!("{}{}", seat.editor.prefix, self.name));
        }
        json!({
            "time": zulu(self.time),
            "iKey": key,
            "name": format!("Microsoft.ApplicationInsights.{}.{what}", key.replace('-', "")),
            "tags": tags,
            "data": {"baseType": base_type, "baseData": base}
        })
    }

    /// In the form of Microsoft's own stream, which has neither `tid` nor measurements.
    pub(super) fn microsoft(&self, seat: &Seat) -> Value {
        let mut properties = Map::new();
        properties.insert("common.extname".to_owned(), json!("copilot-chat"));
        properties.insert("common.vscodemachineid".to_owned(), json!(seat.machine));
        for (name, value) in &self.properties {
            properties.insert((*name).to_owned(), json!(value));
        }
        json!({
            "ver": "4.0",
            "name": "Microsoft.ApplicationInsights.Event",
            "time": zulu(self.time),
            "iKey": "o:0c6ae279ed8443289764825290e4f9e2",
            "ext": {"sdk": {"ver": "1DS-Web-JS-4.3.0"}, "web": {}},
            "data": {"baseType": "EventData", "baseData": {"name": format!("GitHub.copilot-chat/{}", self.name), "properties": properties}}
        })
    }
}

/// Values longer than 8192 characters go under several keys.
fn insert_split(properties: &mut Map<String, Value>, name: &str, value: &str) {
    let letters: Vec<char> = value.chars().collect();
    for (at, part) in letters.chunks(8192).enumerate() {
        let key = if at == 0 { name.to_owned() } else { format!("{name}_{:02}", at + 1) };
        properties.insert(key, json!(part.iter().collect::<String>()));
    }
}

/// Whole numbers without decimals, as JavaScript writes them.
fn tidy(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}
