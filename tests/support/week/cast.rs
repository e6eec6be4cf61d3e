//! Who is there: 25 people, their machines, and what is known of them.

use super::super::rng::Rng;
use super::{digits, uuid};

/// An editor as it shows itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Editor {
    /// Name part of `Editor-Version`.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plugin: &'static str,
    /// What stands before the names of its telemetry events.
    pub(crate) prefix: &'static str,
}

const EDITORS: [Editor; 3] = [
    Editor { name: "vscode", version: "vscode/1.97.2", plugin: "copilot/1.270.0", prefix: "copilot/" },
    Editor {
        name: "JetBrains-PC",
        version: "JetBrains-PC/243.22562.220",
        plugin: "copilot-intellij/1.5.32.7817",
        prefix: "agent/",
    },
    Editor { name: "Neovim", version: "Neovim/0.10.4", plugin: "copilot.lua/1.43.0", prefix: "" },
];

pub(super) const LANGUAGES: [&str; 5] = ["python", "rust", "typescript", "java", "go"];

/// A person at a machine.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// User of the proxy, if this machine logs in.
    pub(crate) login: Option<String>,
    /// `tid` of the token in requests.
    pub(crate) token: Option<String>,
    /// `tid` in telemetry.
    pub(crate) tracked: Option<String>,
    /// Whose the requests are.
    pub(crate) person: Option<String>,
    /// Whose the telemetry is.
    pub(crate) speaker: Option<String>,
    /// Whose it is when a stranger's connection brings it: somebody else's, if an account is shared.
    pub(crate) absent: Option<String>,
    pub(crate) editor: Editor,
    pub(crate) languages: [&'static str; 2],
    /// Whether telemetry is on, by the day of the week.
    pub(crate) telemetry: [bool; 7],
    /// Speaks WebSocket on `/responses`.
    pub(crate) websocket: bool,
    pub(crate) address: String,
    pub(crate) machine: String,
    pub(crate) session: String,
    pub(crate) connection: String,
}

/// Everybody's seats: 25 persons, some of them at several machines, and traffic that is nobody's.
pub(super) fn seats(rng: &mut Rng) -> Vec<Seat> {
    // Of some names a folder cannot be made as they are; `chat` is also the name of a kind.
    const PLAIN: [&str; 14] = [
        "aaron",
        "anna",
        "bo",
        "carla",
        "chat",
        "dmitri",
        "eva",
        "farid",
        "grace",
        "henk",
        "ines",
        "j.r@example",
        "k l",
        "zoë",
    ];
    let mut seats: Vec<Seat> = Vec::new();
    for (n, name) in PLAIN.iter().enumerate() {
        seats.push(known(rng, name, n));
    }
    // Telemetry switched off: two all week, one on Tuesday and Thursday.
    for (n, (name, telemetry)) in
        [("lena", [false; 7]), ("marek", [false; 7]), ("nia", [true, false, true, false, true, true, true])]
            .into_iter()
            .enumerate()
    {
        seats.push(Seat { telemetry, ..known(rng, name, n) });
    }
    // Without login: the token alone tells who it is.
    for n in 0..3 {
        let mut seat = Seat { login: None, ..known(rng, "", n) };
        let label = format!("tid:{}", &seat.token.as_deref().expect("known people have a token")[..8]);
        (seat.person, seat.speaker, seat.absent) = (Some(label.clone()), Some(label.clone()), Some(label));
        seat.telemetry = [n != 2; 7];
        seats.push(seat);
    }
    seats.extend(odd(rng));
    seats
}

/// The odd ones: four persons, second machines, and nobody.
fn odd(rng: &mut Rng) -> Vec<Seat> {
    let mut seats = Vec::new();
    // No token at all: the login tells who it is, of telemetry too.
    seats.push(Seat { token: None, tracked: None, ..known(rng, "olga", 0) });
    // Telemetry with a `tid` that no request shows is the login's.
    seats.push(Seat { token: None, ..known(rng, "pavel", 1) });
    // Two machines, one of them another editor.
    let first = known(rng, "quinn", 0);
    let second = known(rng, "quinn", 2);
    seats.push(Seat { token: first.token.clone(), tracked: first.tracked.clone(), ..second });
    // And a third one that does not log in: its token tells.
    let third = known(rng, "quinn", 3);
    seats.push(Seat { login: None, token: first.token.clone(), tracked: first.tracked.clone(), ..third });
    seats.push(first);
    // Two users, one account: telemetry is of the one who brings it, and of the first in the alphabet if neither does.
    let owner = known(rng, "rosa", 0);
    let guest = known(rng, "sam", 1);
    let third = known(rng, "rosa", 3);
    let shared = |seat: Seat| Seat {
        token: owner.token.clone(),
        tracked: owner.tracked.clone(),
        absent: owner.absent.clone(),
        ..seat
    };
    seats.push(shared(guest));
    // A machine with that account that does not log in.
    seats.push(shared(Seat { login: None, ..third }));
    seats.push(owner);
    let nobody = known(rng, "", 6);
    seats.push(Seat {
        login: None,
        token: None,
        tracked: None,
        person: None,
        speaker: None,
        absent: None,
        telemetry: [false, false, false, true, true, false, false],
        ..nobody
    });
    seats
}

/// A person with a login and a token.
fn known(rng: &mut Rng, name: &str, n: usize) -> Seat {
    let tid = digits(rng, 32);
    Seat {
        login: Some(name.to_owned()),
        token: Some(tid.clone()),
        tracked: Some(tid),
        person: Some(name.to_owned()),
        speaker: Some(name.to_owned()),
        absent: Some(name.to_owned()),
        editor: EDITORS[[0, 1, 0, 2][n % 4]],
        languages: [LANGUAGES[n % 5], LANGUAGES[(n + 2) % 5]],
        telemetry: [true; 7],
        websocket: matches!(n % 8, 2 | 4 | 6),
        address: format!("10.0.{}.{}", n % 3, rng.range(2, 250)),
        machine: digits(rng, 64),
        session: format!("{}1772{:09}", uuid(rng), rng.range(0, 999_999_999)),
        connection: uuid(rng),
    }
}
