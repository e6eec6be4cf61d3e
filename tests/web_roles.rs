//! Show 4: who may see what. Each address is asked for as each role and as nobody; the table below says what comes.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use serde_json::{Value, json};
use support::page::{Answer, Page, Visitor};
use support::program::Folder;
use support::week::{self, Layout, Options, Writer};

/// Who asks, in the order of the table's columns: the name in the users file, and the roles there.
const VISITORS: [(&str, &str); 7] = [
    // Nobody: not logged in.
    ("", ""),
    ("root", "admin"),
    ("rita", "reviewer"),
    ("stan", "statistics"),
    ("anna", "self"),
    // A person with records who may also see the figures of all.
    ("carla", "statistics,self"),
    // May use the proxy and nothing else.
    ("bo", "none"),
];

/// An address, and what each of [`VISITORS`] gets; and what a look at it is called in the audit log, where it is one.
///
/// `{anna}`, `{carla}` and `{grace}` stand for the id of a record of that user. Nobody is led to the login from a page
/// (303) and refused in the API (401).
const TABLE: &[(&str, [u16; 7], Option<&str>)] = &[
    //                          nobody root rita stan anna carla bo
    ("/", [303, 303, 303, 303, 303, 303, 403], None),
    ("/live", [303, 200, 200, 403, 200, 200, 403], None),
    ("/exchanges", [303, 200, 200, 403, 200, 200, 403], None),
    ("/figures", [303, 200, 200, 200, 200, 200, 403], None),
    ("/coverage", [303, 200, 200, 200, 200, 200, 403], None),
    ("/setup", [303, 200, 200, 200, 200, 200, 403], None),
    ("/health", [303, 200, 403, 403, 403, 403, 403], None),
    ("/exchanges/{grace}", [303, 200, 200, 403, 404, 404, 403], Some("exchange")),
    ("/exchanges/{anna}", [303, 200, 200, 403, 200, 404, 403], Some("exchange")),
    ("/exchanges/{carla}", [303, 200, 200, 403, 404, 200, 403], Some("exchange")),
    ("/exchanges/{grace}/request-body", [303, 200, 200, 403, 404, 404, 403], Some("body")),
    ("/exchanges/{anna}/request-body", [303, 200, 200, 403, 200, 404, 403], Some("body")),
    ("/exchanges/{grace}/response-body", [303, 200, 200, 403, 404, 404, 403], Some("body")),
    ("/exchanges/{grace}/record.json", [303, 200, 200, 403, 404, 404, 403], Some("record")),
    ("/exchanges/{grace}/exchange.har", [303, 200, 200, 403, 404, 404, 403], Some("har")),
    // From here another is chosen: times and models, no contents.
    ("/exchanges/{grace}/diff", [303, 200, 200, 403, 404, 404, 403], None),
    ("/exchanges/{grace}/diff/{anna}", [303, 200, 200, 403, 404, 404, 403], Some("diff")),
    ("/exchanges/{grace}/diff/{grace}", [303, 400, 400, 403, 404, 404, 403], None),
    ("/conversations/{grace}", [303, 200, 200, 403, 404, 404, 403], Some("conversation")),
    ("/conversations/{anna}", [303, 200, 200, 403, 200, 404, 403], Some("conversation")),
    ("/coverage?span=all", [303, 200, 200, 200, 200, 200, 403], None),
    // There is no proxy in this program. Where there is one, the CA and the check are for everybody.
    ("/setup/ca.pem", [404, 404, 404, 404, 404, 404, 404], None),
    ("/setup/ca.cer", [404, 404, 404, 404, 404, 404, 404], None),
    ("/setup/check.sh", [404, 404, 404, 404, 404, 404, 404], None),
    ("/setup/seen", [303, 404, 404, 404, 404, 404, 403], None),
    ("/figures?user=grace", [303, 200, 200, 200, 200, 200, 403], None),
    ("/figures.csv?by=user", [303, 200, 200, 200, 200, 200, 403], None),
    ("/api/v1/session", [401, 200, 200, 200, 200, 200, 403], None),
    ("/api/v1/openapi.json", [401, 200, 200, 200, 200, 200, 403], None),
    ("/api/v1/exchanges", [401, 200, 200, 403, 200, 200, 403], None),
    ("/api/v1/exchanges/{grace}", [401, 200, 200, 403, 404, 404, 403], Some("exchange")),
    ("/api/v1/exchanges/{anna}", [401, 200, 200, 403, 200, 404, 403], Some("exchange")),
    ("/api/v1/exchanges/{grace}/record", [401, 200, 200, 403, 404, 404, 403], Some("record")),
    ("/api/v1/exchanges/{grace}/events", [401, 200, 200, 403, 404, 404, 403], None),
    ("/api/v1/exchanges/{grace}/request-body", [401, 200, 200, 403, 404, 404, 403], Some("body")),
    ("/api/v1/exchanges/{grace}/response-body", [401, 200, 200, 403, 404, 404, 403], Some("body")),
    ("/api/v1/exchanges/{grace}/har", [401, 200, 200, 403, 404, 404, 403], Some("har")),
    ("/api/v1/exchanges/{grace}/diff/{anna}", [401, 200, 200, 403, 404, 404, 403], Some("diff")),
    ("/api/v1/conversations/{grace}", [401, 200, 200, 403, 404, 404, 403], Some("conversation")),
    ("/api/v1/figures", [401, 200, 200, 200, 200, 200, 403], None),
    ("/api/v1/figures?by=user", [401, 200, 200, 200, 200, 200, 403], None),
    ("/assets/style.css", [200, 200, 200, 200, 200, 200, 200], None),
    ("/assets/none.css", [404, 404, 404, 404, 404, 404, 404], None),
    // Who has logged in has no use for the form.
    ("/login", [200, 303, 303, 303, 303, 303, 303], None),
    // What there is not is no news to who may see records, and nothing at all to others.
    ("/none", [303, 404, 404, 403, 404, 404, 403], None),
    ("/api/v1/none", [401, 404, 404, 403, 404, 404, 403], None),
    // That somebody else's record is there is not said.
    ("/api/v1/exchanges/{anna}", [401, 200, 200, 403, 200, 404, 403], Some("exchange")),
    ("/api/v1/exchanges/{grace}/record", [401, 200, 200, 403, 404, 404, 403], Some("record")),
    ("/api/v1/exchanges/{carla}/request-body", [401, 200, 200, 403, 404, 200, 403], Some("body")),
    ("/api/v1/exchanges/{carla}/response-body", [401, 200, 200, 403, 404, 200, 403], Some("body")),
    ("/api/v1/exchanges/{carla}/har", [401, 200, 200, 403, 404, 200, 403], Some("har")),
    ("/api/v1/exchanges/{carla}/events", [401, 200, 200, 403, 404, 200, 403], None),
    ("/api/v1/exchanges/{grace}/none", [401, 404, 404, 403, 404, 404, 403], None),
    ("/api/v1/conversations/{carla}", [401, 200, 200, 403, 404, 200, 403], Some("conversation")),
];

const PASSWORD: &str = "correct horse";

/// A simulated week, and the accounts of [`VISITORS`].
struct Week {
    page: Page,
    /// A record's id for each user.
    ids: BTreeMap<String, String>,
}

fn folder(percent: usize) -> (Folder, BTreeMap<String, String>) {
    let folder = Folder::new();
    let mut writer = Writer::new(&folder.path("logs"), Layout::Kind);
    let mut ids = BTreeMap::new();
    week::make(Options { percent, ..Options::default() }, &mut |exchange| {
        writer.write(exchange);
        if let Some(user) = &exchange.fact.login
            && exchange.fact.kind != "telemetry"
        {
            ids.entry(user.clone()).or_insert_with(|| exchange.fact.id.clone());
        }
    });
    fs::create_dir_all(folder.path("logs")).unwrap();
    for (name, roles) in &VISITORS[1..] {
        folder.run_with(&["users", "add", name, "--role", roles, "--password-stdin"], PASSWORD).succeeds();
    }
    (folder, ids)
}

fn week(arguments: &[&str]) -> Week {
    let (folder, ids) = folder(30);
    let page = Page::start(folder, arguments);
    let root = basic(&format!("root:{PASSWORD}"));
    let headers = [("Host", page.host.as_str()), ("Authorization", &root)];
    // The index is being made, and who asks is told to ask again.
    support::at_last("an index of the week", || {
        (page.raw("GET", "/api/v1/exchanges?limit=1", &headers, "").status != 503).then_some(())
    });
    Week { page, ids }
}

fn basic(pair: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// The page without records, for what is not about them.
fn empty(arguments: &[&str]) -> Page {
    Page::start(folder(0).0, arguments)
}

impl Week {
    fn visitor(&self, name: &str) -> Visitor<'_> {
        if name.is_empty() { self.page.visitor() } else { self.page.logged_in(name, PASSWORD) }
    }

    /// The address with ids in it, and the users and ids of the records that it is about, in the order of the users.
    fn address(&self, template: &str) -> (String, Vec<(&str, &str)>) {
        let mut address = template.to_owned();
        let mut records = Vec::new();
        for (user, id) in &self.ids {
            let place = format!("{{{user}}}");
            if address.contains(&place) {
                address = address.replace(&place, id);
                records.push((user.as_str(), id.as_str()));
            }
        }
        (address, records)
    }

    /// The lines of a look at these records: one for each user whose records they are.
    fn lines(&self, who: Option<&str>, what: Option<&str>, records: &[(&str, &str)]) -> Vec<Value> {
        let Some(what) = what else { return Vec::new() };
        let others = records.iter().filter(|(user, _)| Some(*user) != who);
        let line =
            |(of, id): &(&str, &str)| json!({"who": who, "from": "127.0.0.1", "what": what, "ids": [id], "of": of});
        others.map(line).collect()
    }
}

/// The lines of the audit log without their times.
fn audit(page: &Page) -> Vec<Value> {
    let Ok(files) = fs::read_dir(page.folder.path("logs/audit")) else { return Vec::new() };
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect::<String>();
    texts
        .lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().remove("at").expect("a time");
            line
        })
        .collect()
}

/// Names of people of the week that occur as words, those left out that are also words of the page.
fn names_in(text: &str) -> Vec<&'static str> {
    const NAMES: [&str; 14] = [
        "aaron",
        "anna",
        "carla",
        "dmitri",
        "farid",
        "grace",
        "henk",
        "j.r@example",
        "zoë",
        "lena",
        "marek",
        "olga",
        "pavel",
        "quinn",
    ];
    let is_word = |text: &str, at: usize, name: &str| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    };
    NAMES.into_iter().filter(|name| text.match_indices(name).any(|(at, _)| is_word(text, at, name))).collect()
}

#[test]
fn each_address_as_each_role_and_as_nobody() {
    let week = week(&["--web-login"]);
    let (mut looks, mut wrong) = (Vec::new(), Vec::new());
    for (column, (name, roles)) in VISITORS.into_iter().enumerate() {
        let mut visitor = week.visitor(name);
        for (template, statuses, what) in TABLE {
            let (address, records) = week.address(template);
            let answer = visitor.get(&address);
            is_secured(&answer, &address);
            if answer.status != statuses[column] {
                wrong.push(format!("{template} as {name}: {} {}", answer.status, said(&answer)));
            }
            if roles.contains("statistics") {
                let mut names = names_in(&answer.text());
                // What was asked for stands in the form again.
                names.retain(|known| *known != name && !template.contains(&format!("={known}")));
                if !names.is_empty() {
                    wrong.push(format!("{template} as {name} names {names:?}"));
                }
            }
            if answer.status == 200 {
                looks.extend(week.lines(Some(name), *what, &records));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(looks.len() > 20);
    assert_eq!(audit(&week.page), looks, "the looks that were made, and no others");
    let figures = week.page.logged_in("rita", PASSWORD).get("/figures.csv?by=user").text();
    assert!(names_in(&figures).contains(&"grace"), "what the names are looked for in has them otherwise");
}

/// What a page or an error says, for people who read of a failure.
fn said(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let main =
        text.split_once("<main").and_then(|(_, rest)| rest.split_once("</main>")).map_or(&*text, |(main, _)| main);
    main.chars().take(300).collect()
}

/// What every answer says, whatever it is.
#[track_caller]
fn is_secured(answer: &Answer, address: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name} of {address}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    assert_eq!(policy.contains("sandbox"), !is_page, "{address}: {policy}");
    let kept = address.starts_with("/assets/") && answer.status == 200;
    let cache = if kept { "public, max-age=31536000, immutable" } else { "no-store" };
    assert_eq!(answer.header("cache-control"), Some(cache), "{address}");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn the_login_leads_back_and_says_the_same_for_unknown_names_and_wrong_passwords() {
    let page = empty(&["--web-login"]);
    let asked = page.get("/exchanges?user=anna");
    assert_eq!((asked.status, asked.header("location")), (303, Some("/login?next=/exchanges%3Fuser%3Danna")));

    let mut visitor = page.visitor();
    let right = visitor.log_in("anna", PASSWORD, "/exchanges?user=anna");
    assert_eq!((right.status, right.header("location")), (303, Some("/exchanges?user=anna")));
    let cookie = right.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    assert!(!cookie.contains("anna") && !cookie.contains("horse"), "{cookie}");
    for elsewhere in ["//evil.example/", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "evil"] {
        let answer = page.visitor().log_in("anna", PASSWORD, elsewhere);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{elsewhere}");
    }

    let said = |name: &str, password: &str| {
        let answer = page.visitor().log_in(name, password, "/");
        assert_eq!(answer.header("set-cookie"), None);
        let text = answer.text();
        let sentence = text.split_once("role=\"alert\">").unwrap().1.split('<').next().unwrap().to_owned();
        (answer.status, sentence)
    };
    let wrong = (403, "The name or the password is wrong.".to_owned());
    assert_eq!(said("anna", "guess"), wrong);
    assert_eq!(said("<b>nobody</b>", PASSWORD), wrong);
    assert_eq!(said("anna:correct horse", ""), wrong);
    let incomplete = page.visitor().post("/login", &[("name", "anna")]);
    assert_eq!(incomplete.status, 400);
}

#[test]
fn a_session_ends_with_the_logout_the_user_and_the_password() {
    let page = empty(&["--web-login"]);
    let open = |visitor: &mut Visitor<'_>| visitor.get("/setup").status == 200;

    let mut anna = page.logged_in("anna", PASSWORD);
    let mut other = page.logged_in("anna", PASSWORD);
    let kept = anna.cookies.clone();
    let out = anna.log_out();
    assert_eq!((out.status, out.header("location")), (303, Some("/login")));
    assert!(!open(&mut anna) && open(&mut other));
    anna.cookies = kept;
    assert!(!open(&mut anna), "the cookie that was thrown away is no good");

    let mut rita = page.logged_in("rita", PASSWORD);
    page.folder.run_with(&["users", "add", "anna", "--replace", "--password-stdin"], "new").succeeds();
    assert!(!open(&mut other) && open(&mut rita));
    page.folder.run(&["users", "remove", "rita"]).succeeds();
    assert!(!open(&mut rita));
    page.folder.run_with(&["users", "add", "rita", "--password-stdin"], PASSWORD).succeeds();
    assert!(!open(&mut rita), "somebody else of that name");

    let mut root = page.logged_in("root", PASSWORD);
    assert_eq!(root.get("/health").status, 200);
    page.folder.run(&["users", "role", "root", "self"]).succeeds();
    assert_eq!((root.get("/health").status, root.get("/setup").status), (403, 200), "rights are those of now");
}

#[test]
fn a_stream_ends_with_the_session() {
    let page = empty(&["--web-login"]);
    let mut anna = page.logged_in("anna", PASSWORD);
    let mut stream = anna.open("/live/events");
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    assert_eq!(anna.log_out().status, 303);
    // It says that it is alive for as long as it is; what is awaited is its end.
    stream.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(anna.get("/live/events").status, 303);
}

#[test]
fn a_search_is_a_look_at_each_hit_of_others() {
    let week = week(&["--web-login"]);
    let mut rita = week.page.logged_in("rita", PASSWORD);
    // A word that ghost text of the week has.
    let found = rita.get("/exchanges?text=return");
    assert_eq!(found.status, 200, "{}", said(&found));
    let lines = audit(&week.page);
    assert!(!lines.is_empty() && found.text().contains("<mark>"), "{}", said(&found));
    for line in &lines {
        assert_eq!((&line["who"], &line["what"], &line["query"]), (&json!("rita"), &json!("search"), &json!("return")));
        for id in line["ids"].as_array().unwrap() {
            assert!(found.text().contains(id.as_str().unwrap()), "{id} is not on the page");
        }
    }
    let mut anna = week.page.logged_in("anna", PASSWORD);
    assert_eq!(anna.get("/exchanges?text=return").status, 200);
    assert_eq!(anna.get("/exchanges?text=return&user=grace").status, 200);
    assert_eq!(audit(&week.page).len(), lines.len(), "one's own");
}

#[test]
fn forms_of_other_sites_are_refused() {
    let page = empty(&["--web-login"]);
    let mut visitor = page.visitor();
    let token = visitor.get("/login").field("token");
    let fields = [("name", "anna"), ("password", PASSWORD), ("token", token.as_str())];
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1", &format!("http://{}.evil.example", page.host)] {
        let answer = visitor.post_from(origin, "/login", &fields);
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{origin}");
    }
    let no_origin = page.raw("POST", "/login", &[("Host", &page.host)], "name=anna&password=x&token=x");
    assert_eq!(no_origin.status, 403);
    // The token of another browser's form, and none of its cookies.
    let answer = page.visitor().post("/login", &fields);
    assert_eq!(answer.status, 403);
    assert!(!answer.headers.iter().any(|(_, value)| value.contains("Path=/;")), "{answer:?}");

    let mut anna = page.logged_in("anna", PASSWORD);
    assert_eq!(anna.post("/logout", &[("token", &token)]).status, 403, "the token of a form is none of a session");
    assert_eq!(anna.post("/logout", &[]).status, 403);
    assert_eq!(anna.post_from("http://evil.example", "/logout", &[("token", &token)]).status, 403);
    assert_eq!(anna.get("/logout").status, 405, "a picture of another site must log nobody out");
    assert_eq!(anna.get("/setup").status, 200);
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"] {
        let answer = page.raw(method, "/setup", &[("Host", &page.host)], "");
        assert_eq!(answer.status, 405, "{method}");
        is_secured(&answer, "/setup");
    }
}

#[test]
fn pages_of_other_sites_can_fetch_nothing() {
    let page = empty(&[]);
    let fetched = |site: &str, mode: &str, dest: &str| {
        let said = [("Host", page.host.as_str()), ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode)];
        page.raw("GET", "/setup", &[&said[..], &[("Sec-Fetch-Dest", dest)]].concat(), "").status
    };
    assert_eq!(fetched("cross-site", "no-cors", "image"), 403);
    assert_eq!(fetched("same-site", "cors", "empty"), 403);
    assert_eq!(fetched("cross-site", "navigate", "iframe"), 403);
    assert_eq!(fetched("cross-site", "navigate", "document"), 200, "a link");
    assert_eq!(fetched("same-origin", "cors", "empty"), 200);
}

#[test]
fn only_names_of_ours_are_answered_also_on_loopback() {
    let page = empty(&["--web-host", "Recorder.example"]);
    let ask = |hosts: &[&str]| {
        let headers: Vec<_> = hosts.iter().map(|host| ("Host", *host)).collect();
        let answer = page.raw("GET", "/login", &headers, "");
        is_secured(&answer, "/login");
        (answer.status, answer.text())
    };
    for good in ["localhost", "localhost:2222", "[::1]:1", "192.0.2.9", "recorder.example", "RECORDER.example:443"] {
        assert_eq!(ask(&[good]).0, 200, "{good}");
    }
    let (status, text) = ask(&["evil.example:8081"]);
    assert_eq!(status, 421);
    assert!(text.contains("This page is not known as evil.example") && text.contains("web_host"), "{text}");
    for bad in [&[][..], &["localhost", "localhost"], &["a b"], &["<script>"], &["127.0.0.1:x"]] {
        assert_eq!(ask(bad).0, 400, "{bad:?}");
    }
    let plain = empty(&[]);
    assert_eq!(plain.raw("GET", "/setup", &[("Host", "recorder.example")], "").status, 421);
    let answer = plain.raw("GET", "/api/v1/none", &[("Host", "evil.example")], "");
    assert_eq!((answer.status, answer.header("content-type")), (421, Some("application/json")));
}

#[test]
fn scripts_log_in_to_the_api_and_nowhere_else() {
    let page = empty(&["--web-login"]);
    let ask = |target: &str, more: &[(&str, &str)]| {
        page.raw("GET", target, &[&[("Host", page.host.as_str())], more].concat(), "")
    };
    let nobody = ask("/api/v1/none", &[]);
    assert_eq!(nobody.status, 401);
    assert_eq!(nobody.header("www-authenticate"), Some("Basic realm=\"copilot-recorder\""));
    assert_eq!(nobody.header("content-type"), Some("application/json"));
    let error: Value = serde_json::from_slice(&nobody.body).unwrap();
    assert_eq!(error["error"]["status"], 401);
    let right = basic(&format!("rita:{PASSWORD}"));
    assert_eq!(ask("/api/v1/none", &[("Authorization", &right)]).status, 404, "in, and there is no such thing");
    for wrong in [basic("rita:guess"), basic("nobody:guess"), "Bearer x".to_owned(), "Basic !".to_owned()] {
        let answer = ask("/api/v1/none", &[("Authorization", &wrong)]);
        assert_eq!((answer.status, answer.body), (401, nobody.body.clone()), "{wrong}");
    }
    let page_asked = ask("/setup", &[("Authorization", &right)]);
    assert_eq!((page_asked.status, page_asked.header("www-authenticate")), (401, None), "no person asked");
    let script = ask("/api/v1/none", &[("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Dest", "empty")]);
    assert_eq!((script.status, script.header("www-authenticate")), (401, None), "no window of the browser's own");
}

#[test]
fn without_a_login_all_is_seen_on_this_machine_and_nothing_through_another_server() {
    let week = week(&[]);
    let page = &week.page;
    let mut looks = Vec::new();
    for (template, statuses, what) in TABLE {
        let (address, records) = week.address(template);
        // The column of the administrator, but for the login itself.
        let want = if *template == "/login" { 303 } else { statuses[1] };
        let answer = page.get(&address);
        assert_eq!(answer.status, want, "{template}: {}", said(&answer));
        if answer.status == 200 {
            looks.extend(week.lines(None, *what, &records));
        }
    }
    assert_eq!(audit(page), looks, "nobody's own is among them");
    for header in ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via", "Forwarded"] {
        let answer = page.raw("GET", "/setup", &[("Host", &page.host), (header, "for=192.0.2.1")], "");
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("web_login = true"), "{}", answer.text());
    }
}

#[test]
fn where_a_login_is_asked_somebody_must_be_able_to_log_in() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("logs")).unwrap();
    let says = "asks for a login, and there is no users file: make one with `copilot-recorder users add NAME";
    for more in [&["--web", "0.0.0.0:0"][..], &["--web-login"], &["--web-host", "recorder.example"]] {
        folder.run(&[&["web", "--logs", "logs"], more].concat()).fails(2, says);
        folder.run(&[&["run", "--listen", "127.0.0.1:0"], more].concat()).fails(2, says);
    }
    folder.run(&["web", "--logs", "logs", "--web-login", "--users", "none.toml"]).fails(2, "none.toml: there is none");
    folder.write("users.toml", "[[user]]\nname = \"ann\"\nhash = \"x\"\n");
    folder.run(&["web", "--logs", "logs", "--web-login"]).fails(2, "users.toml, line 3: ");
}
