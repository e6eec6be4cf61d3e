//! Shows 4: the traffic behind two records of the tool before us gives records that its readers read.
//!
//! Names, values and their order are those of the old samples; tokens, ids and addresses are made up in their form.

mod support;

use support::command;
use support::recorder::Setup;
use support::records::Record;
use support::upstream::{Connection, Options, Upstream};

const COMPLETIONS: &str = "proxy.enterprise.githubcopilot.com";
const TELEMETRY: &str = "telemetry.enterprise.githubcopilot.com";
const MACHINE: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
const PROMPT: &str = r##"{"prompt":"[]: # Path: readme.md\n# A Project\n\n## How to Run","suffix":"","max_tokens":500,"temperature":0,"top_p":1,"n":1,"stop":["\n\n\n"],"stream":true,"extra":{"language":"markdown","next_indent":0,"trim_by_indentation":true,"prompt_tokens":67,"suffix_tokens":0}}"##;
const EVENTS: &str = concat!(
    r#"data: {"id":"cmpl-Example1","created":1733663903,"model":"gpt-35-turbo","choices":[{"index":0,"finish_reason":null,"logprobs":null,"p":"aaaaaaa"}]}"#,
    "\n\n",
    r#"data: {"id":"cmpl-Example1","created":1733663903,"model":"gpt-35-turbo","choices":[{"text":"\n","index":0,"finish_reason":"stop","logprobs":null,"p":"aaaaaa"}]}"#,
    "\n\ndata: [DONE]\n\n"
);
const ENVELOPES: &str = r#"[{"time":"2024-12-08T13:28:07.023Z","iKey":"7d7048df-6dd0-4048-bb23-b716c1461f8f","name":"Microsoft.ApplicationInsights.7d7048df6dd04048bb23b716c1461f8f.Event","tags":{"ai.session.id":"s-1","ai.user.id":"0123456789abcdef0123456789abcdef","ai.cloud.roleInstance":"REDACTED"},"data":{"baseType":"EventData","baseData":{"ver":2,"name":"copilot/request.sent","properties":{"endpoint":"completions","engineName":"copilot-codex"},"measurements":{"promptCharLen":321}}}}]"#;
const RECEIVED: &str = r#"{"itemsReceived":1,"itemsAccepted":1,"appId":null,"errors":[]}"#;

fn completion_fields() -> Vec<(&'static str, String)> {
    let token = "Bearer tid=0123456789abcdef0123456789abcdef;ol=fedcba9876543210fedcba9876543210;exp=1733664598;\
                 sku=copilot_enterprise_seat;proxy-ep=proxy.enterprise.githubcopilot.com;st=dotcom;ssc=1;chat=1;cit=1;\
                 malfil=1;ccr=1;8kp=1;ip=192.0.2.7;asn=AS64500:\
                 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    vec![
        ("authorization", token.to_owned()),
        ("x-request-id", "00000000-0000-4000-8000-000000000001".into()),
        ("openai-organization", "github-copilot".into()),
        ("vscode-sessionid", "00000000-0000-4000-8000-0000000000021733632427208".into()),
        ("vscode-machineid", MACHINE.into()),
        ("editor-version", "vscode/1.95.3".into()),
        ("editor-plugin-version", "copilot/1.248.0".into()),
        ("copilot-language-server-version", "1.248.0".into()),
        ("annotations-enabled", "true".into()),
        ("code-quote-enabled", "true".into()),
        ("openai-intent", "copilot-ghost".into()),
        ("content-type", "application/json".into()),
        ("user-agent", "GithubCopilot/1.248.0".into()),
        ("content-length", PROMPT.len().to_string()),
        ("accept", "*/*".into()),
        ("accept-encoding", "gzip,deflate,br".into()),
    ]
}

fn telemetry_fields() -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/json".into()),
        ("user-agent", "GithubCopilot/1.248.0".into()),
        ("content-length", ENVELOPES.len().to_string()),
        ("accept", "*/*".into()),
        ("accept-encoding", "gzip,deflate,br".into()),
    ]
}

fn answer_fields(content_type: &'static str, body: &str) -> Vec<(&'static str, String)> {
    vec![
        ("content-security-policy", "default-src 'none'; sandbox".into()),
        ("content-type", content_type.into()),
        ("strict-transport-security", "max-age=31536000".into()),
        ("strict-transport-security", "max-age=31536000".into()),
        ("content-length", body.len().to_string()),
        ("date", "Sun, 08 Dec 2024 13:18:23 GMT".into()),
        ("x-github-request-id", "0000:00000:000000:000000:00000001".into()),
    ]
}

fn message(start: &str, fields: &[(&str, String)], body: &str) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{start}\r\n{fields}\r\n{body}")
}

/// Answers the one request of a connection.
async fn answer(mut connection: Connection) {
    let (wanted, fields, body) = if connection.sni() == COMPLETIONS {
        (PROMPT, answer_fields("text/event-stream", EVENTS), EVENTS)
    } else {
        (ENVELOPES, answer_fields("application/json; charset=utf-8", RECEIVED), RECEIVED)
    };
    connection.received_pattern(wanted.as_bytes(), 1).await;
    connection.send(message("HTTP/1.1 200 OK", &fields, body)).await;
    connection.read_to_end().await;
    connection.half_close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_readers_read_new_records() {
    let upstream = Upstream::start(Options::default(), answer).await;
    let recorder = Setup::new(&upstream).user("satomic", "a password").await.start().await;
    let client = recorder.client(&["http/1.1"]).authorized("satomic", "a password");
    let mut requests = Vec::new();
    for (host, path, mut fields, body) in [
        (COMPLETIONS, "/v1/engines/copilot-codex/completions", completion_fields(), PROMPT),
        (TELEMETRY, "/telemetry", telemetry_fields(), ENVELOPES),
    ] {
        fields.insert(0, ("host", host.into()));
        let mut session = client.open(host).await;
        session.send(message(&format!("POST {path} HTTP/1.1"), &fields, body)).await;
        session.read_until(if host == COMPLETIONS { EVENTS } else { RECEIVED }.as_bytes()).await;
        session.close().await;
        requests.push((format!("https://{host}{path}"), fields, body));
        recorder.records(requests.len()).await;
    }
    let (_, _, setup) = recorder.terminate().await;
    let records = Record::all(&setup.logs);
    assert_eq!(records.len(), 2);
    assert_form(&records[0], "completions", "a1b2c3d4e5", "vscode-1.95.3");
    assert_form(&records[1], "telemetry", "-", "-");
    let answers =
        [answer_fields("text/event-stream", EVENTS), answer_fields("application/json; charset=utf-8", RECEIVED)];
    for (record, ((url, fields, body), answered)) in records.iter().zip(requests.iter().zip(&answers)) {
        assert_eq!(record.json["request"]["url"], url.as_str());
        assert_eq!(record.json["request"]["method"], "POST");
        let headers = record.json["request"]["headers"].as_object().expect("an object");
        assert_eq!(
            headers.keys().map(String::as_str).collect::<Vec<_>>(),
            fields.iter().map(|(name, _)| *name).collect::<Vec<_>>()
        );
        for (name, value) in fields.iter().filter(|(name, _)| *name != "authorization") {
            assert_eq!(headers[*name], value.as_str(), "{name}");
        }
        assert_eq!(record.json["request"]["content"], *body);
        let headers = record.json["response"]["headers"].as_object().expect("an object");
        assert_eq!(headers["strict-transport-security"], "max-age=31536000, max-age=31536000");
        for (name, value) in answered.iter().filter(|(name, _)| *name != "strict-transport-security") {
            assert_eq!(headers[*name], value.as_str(), "{name}");
        }
    }
    assert_eq!(records[0].json["response"]["content"], EVENTS);
    assert_eq!(records[1].json["response"]["content"], RECEIVED);
    assert_token_redacted(&records[0]);
    assert_old_script_reads(&setup, &records).await;
}

/// The form of the old tool: file name, folder, the first five keys and theirs.
fn assert_form(record: &Record, kind: &str, machine: &str, editor: &str) {
    assert_eq!(record.folder(), kind);
    let name = record.name();
    let (timestamp, rest) = name.split_once('_').expect("parts are joined by _");
    assert_digits_as(timestamp, "2024-12-08T13-05-57.639893");
    assert_eq!(rest, format!("{machine}_127.0.0.1_satomic_{editor}.json"));
    let keys: Vec<_> = record.json.as_object().expect("an object").keys().map(String::as_str).collect();
    let wanted = ["proxy-authorization", "timestamp", "proxy-time-consumed", "request", "response", "recorder"];
    assert_eq!(keys, wanted);
    let keys_of =
        |part: &str| -> Vec<String> { record.json[part].as_object().expect("an object").keys().cloned().collect() };
    assert_eq!(keys_of("request"), ["url", "method", "headers", "content"]);
    assert_eq!(keys_of("response"), ["status_code", "headers", "content"]);
    assert_eq!(record.json["proxy-authorization"], "satomic");
    assert_digits_as(record.json["timestamp"].as_str().expect("text"), "2024-12-08T13:18:23.331449");
    let consumed = record.json["proxy-time-consumed"].as_str().expect("text");
    let number = consumed.strip_suffix("ms").expect("milliseconds");
    assert!(number.parse::<f64>().is_ok_and(|ms| ms > 0.0), "{consumed}");
    assert!(record.json["response"]["status_code"].is_u64());
}

/// The same length, digits where the model has digits, the same characters elsewhere.
fn assert_digits_as(found: &str, model: &str) {
    let form = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(form(found), form(model));
}

/// Design D9: the token's fields are worth keeping, its signature is not.
fn assert_token_redacted(record: &Record) {
    let token = record.request_header("authorization").expect("a token");
    assert!(token.starts_with("Bearer tid=0123456789abcdef0123456789abcdef;ol="), "{token}");
    assert!(token.contains("sku=copilot_enterprise_seat"));
    let text = std::fs::read_to_string(&record.path).expect("a record is text");
    assert!(!text.contains("00112233445566778899aabbccddeeff"), "the signature is in the record");
    assert!(!text.contains("a password"));
    let redacted = record.json["recorder"]["redacted"].as_array().expect("a list");
    assert!(redacted.iter().any(|path| path == "/request/headers/authorization"), "{redacted:?}");
}

/// Reads records as the scripts around the old tool do: by its keys, in Python, with no test for what may be missing.
const OLD_READER: &str = r#"
import json, sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as f:
        d = json.load(f)
    user, when, took = d["proxy-authorization"], d["timestamp"], float(d["proxy-time-consumed"].replace("ms", ""))
    url, status = d["request"]["url"], d["response"]["status_code"]
    agent = d["request"]["headers"]["user-agent"]
    asked = json.loads(d["request"]["content"])
    answered = d["response"]["content"]
    if url.endswith("/telemetry"):
        print(user, status, agent, asked[0]["data"]["baseData"]["name"], json.loads(answered)["itemsAccepted"])
    else:
        events = [json.loads(l[6:]) for l in answered.split("\n") if l.startswith("data: {")]
        print(user, status, agent, asked["extra"]["language"], len(events), d["request"]["headers"]["vscode-machineid"][:10])
"#;

async fn assert_old_script_reads(setup: &Setup, records: &[Record]) {
    let mut arguments = vec!["-c", OLD_READER];
    arguments.extend(records.iter().map(|record| record.path.to_str().expect("UTF-8")));
    let output = command::run("python3", &arguments, setup.directory.path(), "").await;
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(
        output.stdout,
        "satomic 200 GithubCopilot/1.248.0 markdown 2 a1b2c3d4e5\n\
         satomic 200 GithubCopilot/1.248.0 copilot/request.sent 1\n"
    );
}
