//! Inputs that reach deep into each fuzz body, to be mutated.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, Crc};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

const C: u8 = 0;
const S: u8 = 0x80;

pub(super) fn http1() -> Vec<Vec<u8>> {
    let get = &b"GET / HTTP/1.1\r\n\r\n"[..];
    let chunked =
        b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n";
    vec![
        conversation(&[
            (C, b"POST / HTTP/1.1\r\nContent-Length: 5\r\nX: y\r\n z\r\n\r\nhello"),
            (S, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"),
        ]),
        conversation(&[(C, get), (S, chunked)]),
        conversation(&[
            (C, b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\nabc"),
            (S, b"HTTP/1.1 101 Switch\r\n\r\nxyz"),
            (C, b"def"),
        ]),
        conversation(&[
            (C, b"HEAD / HTTP/1.1\n\nGET / HTTP/1.0\r\n\r\nGET"),
            (S, b"HTTP/1.1 200 OK\n\nHTTP/1.0 200 OK\n\nbody"),
        ]),
        conversation(&[(C, b"GET / HTTP/1.1\r\nA: b\r\n"), (S, b"HTTP/1.1 431 Too large\n\nx"), (C, b"\r\n")]),
        conversation(&[(C, b"CONNECT a:1 HTTP/1.1\r\n\r\nopaque"), (S, b"HTTP/1.1 200 OK\n\nx")]),
    ]
}

pub(super) fn http2() -> Vec<Vec<u8>> {
    let settings = &frame(4, 0, 0, b"\0\x01\0\0\x20\0");
    let get = &frame(1, 5, 1, b"\x82\x84\x87\x41\x01a");
    let cut = &[frame(1, 0x29, 1, b"\x02\0\0\0\0\0\x82\x84\0\0"), frame(9, 4, 1, b"\x87\x40\x01k\x01v")].concat();
    let connect = &frame(1, 4, 1, b"\x02\x07CONNECT\x00\x09:protocol\x02ws");
    let start = [(C, &settings[..]), (S, settings)];
    let with = |rest: &[(u8, &[u8])]| conversation(&[&start[..], rest].concat());
    vec![
        with(&[(C, get), (S, &frame(1, 4, 1, b"\x88")), (S, &frame(0, 1, 1, b"abc"))]),
        with(&[(C, get), (S, &frame(1, 4, 1, b"\x3f\xe1\x3f\x48\x03100")), (S, &frame(1, 4, 1, b"\xbe"))]),
        with(&[(C, cut), (S, &frame(3, 0, 1, b"\0\0\0\x08"))]),
        with(&[
            (C, get),
            (S, &frame(5, 4, 1, b"\0\0\0\x02\x82\x84\x87")),
            (S, &frame(1, 5, 2, b"\x88")),
            (S, &frame(7, 0, 0, b"\0\0\0\x01\0\0\0\0debug")),
        ]),
        with(&[
            (C, connect),
            (S, &frame(1, 4, 1, b"\x88")),
            (C, &frame(0, 8, 1, b"\x02abc\0\0")),
            (S, &frame(0, 1, 1, b"def")),
        ]),
        with(&[
            (C, &frame(1, 4, 1, b"\x83\x84")),
            (C, &frame(0, 0, 1, b"body")),
            (S, &frame(1, 5, 1, b"\x8d")),
            (C, &frame(1, 5, 1, b"\x40\x01t\x01u")),
        ]),
    ]
}

/// The first byte chooses what was agreed upon: 0 is nothing, 1 to 3 are compression.
pub(super) fn websocket() -> Vec<Vec<u8>> {
    let with = |agreed: u8, pieces: &[(u8, &[u8])]| [vec![agreed], conversation(pieces)].concat();
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    vec![
        with(0, &[(C, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), (S, b"\x01\x03Hel\x89\x01p\x80\x02lo")]),
        with(0, &[(S, b"\x82\x7e\x00\x7e0123456789"), (C, b"\x8a\x00\x88\x02\x03\xe8"), (S, b"\x88\x05\x03\xe8bye")]),
        with(0, &[(C, b"\x02\x7f\0\0\0\0\0\0\0\x03abc\x00\x00\x80\x50"), (C, &[b'x'; 80])]),
        with(1, &[(S, hello), (S, b"\xc1\x05\xf2\x00\x11\x00\x00"), (C, hello)]),
        with(2, &[(C, hello), (C, hello), (S, b"\xc1\x0b\x00\x05\x00\xfa\xffHello\x00")]),
        with(
            3,
            &[(S, b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), (S, b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00")],
        ),
    ]
}

pub(super) fn hpack() -> Vec<Vec<u8>> {
    vec![
        blocks(
            0x40,
            &[
                b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
                b"\x82\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
            ],
        ),
        blocks(4, &[b"\x3f\xe1\x01\x40\x01a\x03xyz\x7e\x03123", b"\xbe\xbf", b"\x20\x3f\x45\x40\x01b\x01c\xbe"]),
        blocks(0, &[b"\x10\x08password\x01x\x20"]),
    ]
}

/// The first byte is the place of the codings in the body's list.
pub(super) fn decode() -> Vec<Vec<u8>> {
    let text = "data: {\"choices\":[{\"text\":\"fn main() {}\"}]}\n\n".repeat(40);
    let text = text.as_bytes();
    let (mut gzip, mut zlib, mut deflate) = (
        GzEncoder::new(Vec::new(), Compression::default()),
        ZlibEncoder::new(Vec::new(), Compression::best()),
        DeflateEncoder::new(Vec::new(), Compression::fast()),
    );
    let memory = "memory takes bytes";
    gzip.write_all(text).expect(memory);
    zlib.write_all(text).expect(memory);
    deflate.write_all(text).expect(memory);
    let gzip = gzip.finish().expect(memory);
    let zstd = compress_to_vec(text, CompressionLevel::Fastest);
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; 100 << 10]).expect(memory);
    let with = |codings: u8, body: &[u8]| [&[codings], body].concat();
    vec![
        with(0, text),
        with(1, &gzip),
        with(1, &[&gzip[..], &gzip].concat()),
        with(1, &bomb.finish().expect(memory)),
        with(2, &zlib.finish().expect(memory)),
        with(2, &deflate.finish().expect(memory)),
        with(3, BROTLI),
        with(4, &zstd),
        with(4, &[&zstd[..], b"\x50\x2a\x4d\x18\x04\0\0\0skip", &zstd].concat()),
        with(5, &gzip),
        with(6, &zstd),
        with(7, &zstd),
    ]
}

/// `data: {"a":1}` and an empty line, four times, by the reference encoder.
const BROTLI: &[u8] = b"\x1b\x3b\x00\xf8\x1d\x07\x76\x33\xd7\x42\x27\x16\x06\xff\x88\xdc\x5a\x41\x24\x8c\x4c\x83\
                        \xc4\xec\xf5\x29\x1d\xba\x70\x2a\x04\xe8\x6e\xc8\xe4\x00";

/// What the head of a spool file looks like.
pub(super) const SNAPSHOT: &str = r#"{"id":"0193a7c0-0000-7000-8000-000000000001","connection":{
"id":"0193a7c0-0000-7000-8000-000000000002","user":"ann","client":"127.0.0.1:5000","upstream":"[::1]:443",
"host":"api.githubcopilot.com","port":443,"sni":null,"alpn":"h2","tls_client":"TLSv1.3","tls_upstream":"TLSv1.3",
"connect":1000,"tls":2000},"began":[1733663157,639893001],"stream":7,"request":{"head":{"method":"POST",
"target":"/v1/engines/m/completions","authority":null,"version":"HTTP/2","fields":[["Editor-Version","vscode/1"]],
"wire_size":100,"truncated":false},"seen":4,"truncated":false,"trailers":null,"ended":true},
"response":{"head":{"status":200,"reason":"","version":"HTTP/2","fields":[["a","b"]],"wire_size":3,"truncated":false},
"seen":5,"truncated":false,"trailers":null,"ended":false},"timings":[5,null,9],"chunks":[[3,11]],"chunks_omitted":2,
"aborted_by":null,"reset_code":8,"opaque":[1,2],"malformed":"a reason","spooled":[3,4]}"#;

pub(super) fn spool() -> Vec<Vec<u8>> {
    let head = SNAPSHOT.replace('\n', "");
    let arrived = [&2_u64.to_le_bytes()[..], b"data: x\n\n"].concat();
    let pieces: [(u8, &[u8]); 4] = [(b'H', head.as_bytes()), (b'q', b"body"), (b'r', &arrived), (b'r', &arrived)];
    let file = |pieces: &[(u8, &[u8])]| {
        let mut bytes = b"CRSPOOL1".to_vec();
        for (kind, payload) in pieces {
            let mut crc = Crc::new();
            crc.update(&[*kind]);
            crc.update(payload);
            bytes.push(*kind);
            bytes.extend((payload.len() as u32).to_le_bytes());
            bytes.extend(crc.sum().to_le_bytes());
            bytes.extend_from_slice(payload);
        }
        bytes
    };
    // The same as the body seals by itself, so that a mutation does not end at the checksum.
    let unsealed = |pieces: &[(u8, &[u8])]| {
        let piece =
            |(kind, payload): &(u8, &[u8])| [&[*kind, 0], &(payload.len() as u16).to_be_bytes()[..], payload].concat();
        pieces.iter().flat_map(piece).collect::<Vec<u8>>()
    };
    vec![file(&pieces), file(&pieces[1..]), unsealed(&pieces), unsealed(&[pieces[0], pieces[2], pieces[0]])]
}

pub(super) fn basic() -> Vec<Vec<u8>> {
    let basic = |scheme: &str, pair: &[u8]| format!("{scheme} {}", STANDARD.encode(pair)).into_bytes();
    vec![
        basic("Basic", b"ann:secret"),
        basic("bAsIc  ", b":"),
        basic("Basic", "jos\u{e9}@corp:p:s %2F".as_bytes()),
        basic("Basic", b"latin\xe9:\xff\x00"),
        b"Basic YTpi=".to_vec(),
        b"Bearer YTpi".to_vec(),
    ]
}

pub(super) fn hello() -> Vec<Vec<u8>> {
    let body: Vec<u8> = (0..40).collect();
    let message = [&[1, 0, 0, 40][..], &body].concat();
    let records = |size: usize| {
        let record = |piece: &[u8]| [&[22, 3, 1][..], &(piece.len() as u16).to_be_bytes(), piece].concat();
        message.chunks(size).flat_map(record).collect::<Vec<u8>>()
    };
    vec![records(100), records(20), records(3), records(1), b"GET / HTTP/1.1\r\n\r\n".to_vec()]
}

pub(super) fn telemetry() -> Vec<Vec<u8>> {
    let shown = r#"{"time":"2026-03-02T09:15:00.25Z","iKey":"7d7048df-6dd0-4048-bb23-b716c1461f8f","tags":{"ai.user.id":"a"},
        "data":{"baseType":"EventData","baseData":{"name":"copilot/ghostText.shown","properties":{"choiceIndex":"0",
        "editor_version":"vscode/1.9","long":"a\ud83d","long_02":"\ude00","timeout":"15000"},"measurements":{"numLines":2}}}}"#;
    let failed =
        r#"{"data":{"baseType":"ExceptionData","baseData":{"exceptions":[{"id":1},{"id":2}],"properties":null}}}"#;
    let own = r#"{"name":"x/panel.request","iKey":"o:1","data":{"baseData":{"properties":{"isShown":true}}}}"#;
    let shown = shown.replace("\n        ", "");
    let array = format!("\u{feff}[{shown},{failed},{own}]");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(array.as_bytes()).expect("memory takes bytes");
    vec![
        array.into_bytes(),
        format!("{own}\n{{\"a\":\"open\n{shown}\r\nno json\n{failed}").into_bytes(),
        [failed, own, "{}", &shown].concat().into_bytes(),
        gzip.finish().expect("memory takes bytes"),
    ]
}

pub(super) fn record() -> Vec<Vec<u8>> {
    let head = r#"{"proxy-authorization": "ann:pass", "timestamp": "2024-12-08T13:18:23.331449", "proxy-time-consumed": "1.5ms", "request": {"url": "https://u:p@api.example.com/chat/completions?key=1", "method": "POST", "headers": {"Authorization": "Bearer tid=1;exp=2:sig", "n": 1}, "content": "#;
    let answer = r#"}, "response": {"status_code": 200, "headers": {}, "content": "#;
    let recorder = r#"}, "recorder": {"schema": 1, "id": "01940000-0000-7000-8000-000000000001", "kind": "chat", "rule": "chat", "complete": true, "aborted_by": null, "client": "127.0.0.1:1", "timings": {"connect": 1.5, "last_byte": null}, "chunks": [[1.5, 10]], "request": {"content_size": 3, "codings": ["gzip"], "encoding": "base64", "content_tail": "4p0="}, "response": null, "websocket": {"messages": [["client", 1.5, 10, "text", 1]]}}}"#;
    vec![
        format!(r#"{head}"a\ud800b"{answer}"data: x\n\n"}}}}"#).into_bytes(),
        format!(r#"{head}{{"a": [1, "b c"]}}{answer}[{{"choices": []}}, "[DONE]"]}}}}"#).into_bytes(),
        format!(r#"{head}"AAEC"{answer}"x"{recorder}"#).into_bytes(),
        b"{}".to_vec(),
    ]
}

/// What each side sends, in turn: before each piece a byte with the side in its top bit and the length below.
fn conversation(pieces: &[(u8, &[u8])]) -> Vec<u8> {
    let pieces = pieces.iter().flat_map(|(side, bytes)| bytes.chunks(0x7e).map(move |it| (side | it.len() as u8, it)));
    pieces.flat_map(|(head, bytes)| [&[head], bytes].concat()).collect()
}

/// An HTTP/2 frame.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Header blocks, each after its length, and before all of them the table's size in units of 64 bytes.
fn blocks(table: u8, blocks: &[&[u8]]) -> Vec<u8> {
    let blocks = blocks.iter().flat_map(|block| [&[block.len() as u8], *block].concat());
    [table].into_iter().chain(blocks).collect()
}

/// The first two bytes choose the place of the cut.
pub(super) fn answer() -> Vec<Vec<u8>> {
    let sse = |events: &[&str]| -> String { events.iter().map(|event| format!("data: {event}\n\n")).collect() };
    let responses = [
        r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"m","output":[]}}"#,
        r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message"}}"#,
        r#"{"type":"response.output_text.delta","sequence_number":2,"output_index":0,"content_index":0,"delta":"ab"}"#,
        r#"{"type":"response.output_text.delta","sequence_number":3,"output_index":0,"content_index":0,"delta":"c"}"#,
        r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f"}}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":1,"delta":"{\"a\":1}"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":2,"summary_index":0,"delta":"why"}"#,
        r#"{"type":"response.completed","response":{"id":"resp_1","output":[{"type":"message","content":[{"type":"output_text","text":"abc"}]}],"usage":{"input_tokens":5,"output_tokens":2}}}"#,
        r#"{"type":"error","error":{"code":"c","message":"m"}}"#,
    ];
    let messages = sse(&[
        r#"{"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":3,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}"#,
        r#"{"type":"message_stop"}"#,
    ]);
    let chat = sse(&[
        r#"{"choices":[],"prompt_filter_results":[{}],"id":"","created":0}"#,
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"a\ud83d\ude00","reasoning_text":"r"}}],"id":"x","model":"m"}"#,
        r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]}}]}"#,
        r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"finish_reason":"tool_calls"}]}"#,
        r#"{"choices":[],"copilot_errors":[{"code":"e","message":"m"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        "[DONE]",
    ]);
    let texts = [
        sse(&[r#"{"choices":[{"index":0,"text":"a"},{"index":1,"text":"b","finish_reason":"stop"}]}"#, "[DONE]"]),
        chat.clone(),
        chat.replace('\n', "\r\n"),
        sse(&responses),
        responses.join("\n"),
        messages,
        r#"[{"choices":[{"index":0,"text":"a"}]},"","data: {\"choices\":[{\"text\":\"b\"}]}","[DONE]"]"#.to_owned(),
        r#"{"choices":[{"message":{"content":"abc","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}}]}"#.to_owned(),
        r#"{"type":"message","content":[{"type":"text","text":"abc"},{"type":"tool_use","input":{"a":[1]}}]}"#.to_owned(),
    ];
    texts.iter().map(|text| cut_at(text)).collect()
}

/// The first two bytes choose the place of the cut.
pub(super) fn prompt() -> Vec<Vec<u8>> {
    [
        r#"{"prompt":"a\ud83d","suffix":"b","n":2,"stop":["\n"],"nwo":"a/b","extra":{"language":"go","prompt_tokens":7}}"#,
        r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url"}]},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],"model":"m","stream":true}"#,
        r#"{"type":"response.create","input":[{"role":"user","content":[{"type":"input_text","text":"t"}]},{"type":"function_call_output","call_id":"c","output":"r"}],"previous_response_id":"resp_1","initiator":"user"}"#,
        r#"{"system":[{"type":"text","text":"s"}],"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t"},{"type":"tool_use","id":"c","name":"f","input":{"a":[1,2]}}]}],"tools":[{"name":"f","input_schema":{}}]}"#,
    ]
    .map(cut_at)
    .to_vec()
}

fn cut_at(text: &str) -> Vec<u8> {
    [&[0, 200], text.as_bytes()].concat()
}
