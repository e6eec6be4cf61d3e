use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower_service::Service as _;

use tokio_stream::StreamExt as _;

use super::*;
use crate::auth::{Account, Role};
use crate::figures::{By, Figures, Percentiles, Persistence};
use crate::web::testing::{ready, site};

async fn ask(site: &Site, address: &str) -> Response {
    ready(site).await;
    let request = Request::get(address).header("host", "127.0.0.1").body(Body::empty()).unwrap();
    crate::web::router(site.clone()).call(request).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 10_000_000).await.unwrap().to_vec()).unwrap()
}

/// A folder with one chat of a user whose name is hostile, at the beginning of March.
fn logs() -> tempfile::TempDir {
    let logs = tempfile::tempdir().unwrap();
    let record = serde_json::json!({
        "proxy-authorization": NAME,
        "timestamp": "2026-03-02T10:00:00.000000",
        "proxy-time-consumed": "100.0ms",
        "request": {
            "url": "https://api.githubcopilot.com/chat/completions",
            "method": "POST",
            "headers": { "X-Initiator": "user" },
            "content": "{\"model\": \"=gpt\", \"messages\": []}",
        },
        "response": { "status_code": 200, "headers": {}, "content": "" },
    });
    let folder = logs.path().join("chat");
    std::fs::create_dir(&folder).unwrap();
    let name = "2026-03-02T10-00-00.000000_0123456789_127.0.0.1_x_vscode-1.json";
    std::fs::write(folder.join(name), record.to_string()).unwrap();
    logs
}

const NAME: &str = "<script>alert(1)</script>\"\u{202e}";

#[tokio::test]
async fn filters_come_before_figures_and_figures_with_their_charts() {
    let logs = logs();
    let response = ask(&site(logs.path()), "/figures?since=2026-03-01").await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut pieces = response.into_body().into_data_stream();
    let first = pieces.next().await.unwrap().unwrap();
    let first = std::str::from_utf8(&first).unwrap();
    assert!(first.contains("value=\"2026-03-01\"") && first.contains("<h1>Figures</h1>"), "{first}");
    assert!(!first.contains("<svg") && first.ends_with("Adding up …</p>"));
    let second = pieces.next().await.unwrap().unwrap();
    let second = std::str::from_utf8(&second).unwrap();
    assert!(second.ends_with("</html>"));
    assert!(pieces.next().await.is_none());
    let charts = second.matches("<svg").count();
    assert_eq!((charts > 20, second.matches("<table").count(), second.matches("CSV").count()), (true, charts, charts));
    assert!(!second.contains("<script") && !second.contains(" style=") && !second.contains('\u{202e}'));
    assert!(second.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;\\u{202e}"), "the name is there as text");
}

#[tokio::test]
async fn csv_is_harmless_in_a_spreadsheet() {
    let logs = logs();
    let response = ask(&site(logs.path()), "/figures.csv?by=model").await;
    assert_eq!(response.headers()[CONTENT_DISPOSITION], "attachment; filename=\"figures-by-model.csv\"");
    assert_eq!(response.headers()[CONTENT_TYPE], "text/csv; charset=utf-8");
    let table = text(response).await;
    let lines: Vec<&str> = table.split("\r\n").collect();
    assert!(lines[0].starts_with("by,is_total,group,requests,speculative,cancelled,"), "{table}");
    assert!(lines[1].starts_with("model,false,'=gpt,1,0,?,0,"), "{table}");
    assert!(lines[2].starts_with("model,true,total,1,0,?,0,"), "{table}");
    assert_eq!(lines[3..], [""]);
    let total = text(ask(&site(logs.path()), "/figures.csv").await).await;
    assert_eq!(total.lines().count(), 2);
}

#[tokio::test]
async fn bad_filters_are_told_at_their_fields() {
    let logs = logs();
    let site = site(logs.path());
    let response = ask(&site, "/figures?since=soon&kind=chat&wat=%3Cb%3E").await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let page = text(response).await;
    let field = page.split_once("id=\"filter-since\"").unwrap().1.split_once("</div>").unwrap().0;
    assert!(field.contains("aria-invalid=\"true\" aria-describedby=\"wrong-since\""), "{field}");
    assert!(field.contains("id=\"wrong-since\">soon: write a date"), "{field}");
    assert!(page.contains("value=\"chat\"") && page.contains("<code>wat</code>: there is no such parameter"));
    assert!(!page.contains("<svg"));
    let response = ask(&site, "/figures.csv?by=moon").await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(text(response).await.contains("by: there are user, language,"));
}

#[tokio::test]
async fn where_there_is_nothing_it_is_said() {
    let empty = tempfile::tempdir().unwrap();
    assert!(text(ask(&site(empty.path()), "/figures").await).await.contains("no request was recorded"));
    let logs = logs();
    let page = text(ask(&site(logs.path()), "/figures?user=nobody-known").await).await;
    assert!(page.contains("nothing to count with these filters") && !page.contains("<svg"));
}

#[tokio::test]
async fn folder_that_is_gone_is_an_error() {
    let logs = logs();
    let site = site(&logs.path().join("gone"));
    for address in ["/figures", "/figures.csv"] {
        let status = ask(&site, address).await.status();
        assert!(status.is_server_error(), "{address}: {status}");
    }
}

fn figures_of(group: &str) -> Figures {
    let persistence = [15, 600].map(|after| Persistence { after, known: 0, still: None });
    Figures { group: group.to_owned(), persistence: persistence.to_vec(), ..Figures::default() }
}

#[test]
fn what_is_unknown_is_said_to_be() {
    let unknown =
        Figures { requests: 7, suggestion_users: 2, first_byte: Percentiles::default(), ..figures_of("total") };
    let shown = headline::headline(&unknown).into_string();
    assert!(shown.contains("No telemetry came"));
    let values: Vec<_> = shown.split("<p class=\"value\">").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(values, ["7", "?", "?", "-", "-", "?", "?", "?"]);
    let some = Figures { telemetry_users: 1, shown: Some(4), accepted: Some(1), ..unknown };
    assert!(headline::headline(&some).into_string().contains("is known of 1 of 2 users"));
    let nothing = headline::headline(&figures_of("total")).into_string();
    assert!(!nothing.contains("class=\"note\""));
}

#[tokio::test]
async fn links_lead_to_one_group_with_the_same_filters() {
    let logs = logs();
    let site = site(logs.path());
    ready(&site).await;
    let kept = site.figures().overview(Query::default(), 0).await.unwrap().overview;
    let params = FiguresParams::of_query("since=7d&by=day&user=ann", &[]);
    let span = Span::of(&Query::default(), now());
    let view = View { params: &params, overview: &kept, is_own: false, span };
    let link = |by, group| view.link(by, group);
    assert_eq!(link(By::Model, "a b&c").as_deref(), Some("/figures?user=ann&model=a%20b%26c&since=7d"));
    assert_eq!(link(By::User, "-").as_deref(), Some("/figures?user=-&since=7d"));
    assert_eq!([link(By::User, "a,b"), link(By::User, " a"), link(By::Day, "2026-03-02")], [None, None, None]);
    assert_eq!(view.csv(Some(By::Hour)), "/figures.csv?by=hour&user=ann&since=7d");
    assert_eq!(view.csv(None), "/figures.csv?user=ann&since=7d");
    assert_eq!([By::User, By::Model].map(|by| view.nameless(by)), ["", ""], "both are named");
    assert_eq!(view.nameless(By::Language), "- tells no language; of requests only ghost text does.");
}

fn viewer(name: &str, roles: &[Role]) -> Viewer {
    let account = Account { name: name.into(), roles: roles.iter().copied().collect(), tie: [0; 32] };
    Viewer::of(&account, [127, 0, 0, 1].into())
}

/// The page and the table of users, as this viewer gets them.
async fn seen(site: &Site, viewer: &Viewer, query: &str) -> (String, String) {
    ready(site).await;
    let ask = || (State(site.clone()), Extension(viewer.clone()));
    let ((state, who), raw) = (ask(), RawQuery(Some(query.to_owned())));
    let page = text(figures(state, who, raw).await.unwrap()).await;
    let ((state, who), raw) = (ask(), RawQuery(Some(format!("by=user&{query}"))));
    (page, text(table(state, who, raw).await.unwrap()).await)
}

fn users(table: &str) -> Vec<&str> {
    table.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect()
}

#[tokio::test]
async fn who_may_see_figures_alone_sees_pseudonyms() {
    let logs = logs();
    let site = site(logs.path());
    let pseudonym = site.access().pseudonyms().of(NAME);
    let statistics = viewer("carol", &[Role::Statistics]);
    let (page, table) = seen(&site, &statistics, "").await;
    assert!(page.contains(&format!("/figures?user={pseudonym}\">{pseudonym}</a>")), "{page}");
    assert!(!page.contains("alert") && !table.contains("alert"));
    assert_eq!(users(&table), [&pseudonym, "total"]);
    let (page, table) = seen(&site, &statistics, &format!("user={pseudonym}")).await;
    assert!(page.contains(&format!("value=\"{pseudonym}\"")) && page.contains("<svg"));
    assert_eq!(users(&table), [&pseudonym, "total"]);
    let by_name = format!("user={}", crate::review::query::encoded(NAME));
    let (page, table) = seen(&site, &statistics, &by_name).await;
    assert!(page.contains("nothing to count with these filters"), "a name does not tell who is who");
    assert_eq!(users(&table), ["total"]);
}

#[tokio::test]
async fn who_may_see_own_records_alone_sees_own_figures() {
    let logs = logs();
    let site = site(logs.path());
    let (page, table) = seen(&site, &viewer("carol", &[Role::Own]), "").await;
    assert!(page.contains("nothing to count") && !page.contains("name=\"user\""));
    assert_eq!(users(&table), ["total"]);
    let asked = format!("user={}", crate::review::query::encoded(NAME));
    assert_eq!(users(&seen(&site, &viewer("carol", &[Role::Own]), &asked).await.1), ["total"]);
    let (page, table) = seen(&site, &viewer(NAME, &[Role::Own]), "").await;
    assert!(page.contains("<svg") && !page.contains("Requests by user"));
    assert_eq!(users(&table).len(), 2);
    let (_, table) = seen(&site, &viewer(NAME, &[Role::Own, Role::Statistics]), "").await;
    assert!(users(&table)[0].contains("alert"), "the own name is no secret to oneself");
    let (_, table) = seen(&site, &viewer("bob", &[Role::Reviewer]), "").await;
    assert!(users(&table)[0].contains("alert"));
}

#[tokio::test]
async fn days_that_are_looked_at_in_part_are_named() {
    let logs = logs();
    let site = site(logs.path());
    ready(&site).await;
    let kept = site.figures().overview(Query::default(), 0).await.unwrap().overview;
    let params = FiguresParams::default();
    let note = |since: Option<&str>, until: Option<&str>, now: &str, offset_minutes| {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let micros = |text: Option<&str>| text.map(|text| time(text).timestamp_micros());
        let query = Query { since: micros(since), until: micros(until), offset_minutes, ..Query::default() };
        View { params: &params, overview: &kept, is_own: false, span: Span::of(&query, time(now)) }.partial_days()
    };
    let (midnight, morning, evening) = ("2026-03-02T00:00:00Z", "2026-03-02T09:30:00Z", "2026-03-02T19:00:00Z");
    assert_eq!(note(None, None, "2026-03-09T12:00:00Z", 0), None);
    assert_eq!(note(Some(midnight), Some("2026-03-03T00:00:00Z"), "2026-03-09T12:00:00Z", 0), None);
    assert_eq!(note(None, None, evening, 0).as_deref(), Some("Less than whole days: 2026-03-02 is not over."));
    let both = note(Some(morning), Some(evening), "2026-03-09T12:00:00Z", 0);
    let expected = "Less than whole days: 2026-03-02 is counted from 09:30, 2026-03-02 up to 19:00.";
    assert_eq!(both.as_deref(), Some(expected));
    let other_clock = note(Some(midnight), Some(evening), "2026-03-02T12:00:00Z", 60);
    let expected = "Less than whole days: 2026-03-02 is counted from 01:00, 2026-03-02 is not over.";
    assert_eq!(other_clock.as_deref(), Some(expected));
}
