//! As `fuzz_seeds`, of what is read again and shown.

/// Requests of one conversation, as `fuzz_conversation` takes them apart.
pub(super) fn exchanges() -> Vec<Vec<u8>> {
    let chat = |messages: &str| format!(r#"{{"messages":[{messages}],"model":"m"}}"#);
    let answer = |message: &str| format!(r#"{{"id":"1","choices":[{{"message":{message},"finish_reason":"stop"}}]}}"#);
    let system = r#"{"role":"system","content":"Be kind."}"#;
    let user = r#"{"role":"user","content":"What is in a.rs?"}"#;
    let call =
        r#"{"role":"assistant","content":"","tool_calls":[{"id":"c","function":{"name":"read","arguments":"{}"}}]}"#;
    let result = r#"{"role":"tool","tool_call_id":"c","content":"fn main"}"#;
    let told = r#"{"role":"assistant","content":"A main."}"#;
    let again = r#"{"role":"user","content":"<userRequest>Rename it.</userRequest>"}"#;
    let all = [
        (0, chat(&format!("{system},{user}")), answer(call)),
        (2, chat(&format!("{system},{user},{call},{result}")), answer(told)),
        (60, chat(&format!("{system},{user},{call},{result},{told},{again}")), answer(told)),
        (61, chat(&format!("{system},{user},{call},{result},{told},{user}")), answer(told)),
    ];
    let one = |(began, asked, answered): &(u8, String, String), ids: u8| {
        [&[*began, ids], asked.as_bytes(), b"\xfe", answered.as_bytes(), b"\xff"].concat()
    };
    let whole = all.iter().flat_map(|said| one(said, 0)).collect();
    let by_ids = all.iter().zip([0b00_01_01, 0b01_10_01, 0b10_11_01, 0b10_00_00]);
    let by_ids = by_ids.flat_map(|(said, ids)| one(said, ids)).collect();
    let responses =
        r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"t"}]}],"previous_response_id":"1"}"#;
    vec![whole, by_ids, [b"\0\x15", responses.as_bytes()].concat()]
}

/// Two sizes, and on the first line what is looked for.
pub(super) fn search() -> Vec<Vec<u8>> {
    let texts = [
        "name va\nlet Name = value; // the\n name of values",
        "\"let name\" é\nlet\tname name \u{1b}[2J É \u{202e}İstanbul \u{e0041}",
        "middle \nsurname first name middle name_of last rename",
        "山田\n山田 太郎 👩\u{200d}💻 山田太郎",
    ];
    texts
        .iter()
        .zip([(30, 12), (5, 90), (80, 0), (1, 255)])
        .map(|(text, (columns, letters))| [&[columns, letters], text.as_bytes()].concat())
        .collect()
}

/// Books, one of them with numbers that nobody counts to.
pub(super) fn door() -> Vec<Vec<u8>> {
    let entry = |what: &str, host: &str, times: &str| format!(r#"{{"what":"{what}","host":"{host}",{times}}}"#);
    let usual = r#""count":3,"first":1699999000000000,"last":1700000000000000"#;
    let largest = r#""detail":"UnknownCA\u001b","count":18446744073709551615,"first":-9223372036854775808,"last":9223372036854775807"#;
    let book = |user: &str, entries: &[String]| {
        format!(
            r#"{{"form":1,"begun":1690000000000000,"as_of":1700000000000000,"pairs":[{{{user}"client":"192.0.2.7","entries":[{}],"dropped":1}}],"dropped":2,"errors":[{{"at":1,"host":"h","why":"w"}}]}}"#,
            entries.join(",")
        )
    };
    let kinds =
        ["opened", "unused", "opaque", "refused", "unreachable", "asked", "login_failed", "untrusted", "broken_off"];
    let hosts = ["api.githubcopilot.com", "proxy.individual.githubcopilot.com"];
    let all = |times: &str| -> Vec<_> {
        kinds.iter().flat_map(|what| hosts.iter().map(|host| entry(what, host, times))).collect()
    };
    let opened = [hosts.map(|host| entry("opened", host, largest)), hosts.map(|host| entry("unused", host, usual))];
    vec![
        book(r#""user":"ann","#, &all(usual)).into_bytes(),
        book("", &all(largest)).into_bytes(),
        book(r#""user":"ann","#, &opened.concat()).into_bytes(),
    ]
}

/// A line each: `Host`, `Cookie`, `Origin`, the address to go on to, a name.
pub(super) fn access() -> Vec<Vec<u8>> {
    [
        "127.0.0.1:8081\na=1; copilot=AbCd_-9; copilot=x=y\nhttp://127.0.0.1:8081\n/exchanges?user=bob&text=a%20b\nann",
        "Recorder.example.:80\ncopilot=\nhttps://recorder.example.:80\n//evil.example\njosé",
        "[::1]:1\n;copilot=a;;\nnull\n/\\evil.example\n",
        "evil.example\ncopilot=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nhttp://evil.example\n/login?next=/login\n山田",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Queries, and a place in a list.
pub(super) fn address() -> Vec<Vec<u8>> {
    [
        "kind=chat,nes&user=ann,-&host=*.a.example&status=4xx,none,200&model=m&language=go&editor=vscode/1.9&since=7d&until=2026-11-20T10:00:05%2B01:00&slower-than=1.5s&cancelled=1&failed=0&text=a+%22b%20c%22+",
        "by=day&kind=completions&since=yesterday&until=now&utc-offset=-05:30&editor=vscode",
        "columns=kind,user&order=oldest&after=1763700000000000-0193a6d14f2b70008000000000000007&utc-offset=%2B01:00",
        "limit=5&before=-1-0193a6d14f2b70008000000000000007&context=1&count=yes&text=x",
        "span=30d&from=7&limit=9",
        "kind=chat&user=-&mark=-9223372036854775808",
        "?a&&=b&kind=%zz%4&since=9223372036854775807w&until=0000-01-01&slower-than=1e308m",
        "1763700000000000-0193a6d14f2b70008000000000000007",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// A language, a place to cut at, and a text.
pub(super) fn render() -> Vec<Vec<u8>> {
    let texts = [
        "fn main() {\n    let a = \"\\n{b}\"; // c\r\n}\n/* d",
        "<!-- a --><b onclick=\"c()\"><?php echo '$d'; ?></b><script>e</script>",
        "# A\n\n- [ ] *b* **c** `d`\n- [x] [e](javascript:f) ![g](https://a.invalid/h.png)\n\n|a|b|\n|-|-|\n|1|<i>|\n\n```rust\nfn\n```\n> <https://a.invalid>",
        "{\"path\":\"a.rs\",\"new\":\"fn <a>\\n}\",\"n\":[-1.50e400,true,null]}",
        "a\u{202e}b\u{200d}\u{1b}[2J\0\u{feff}👩\u{200d}💻❤\u{fe0f}\u{e0041}",
        "a: &b [1, 'c']\n<<: *b\n--- |\n  d\n",
    ];
    texts.iter().zip(0..).map(|(text, at): (_, u8)| [&[at, at * 17], text.as_bytes()].concat()).collect()
}
