use proptest::prelude::*;

use super::super::harmless::{assert_harmless, shown_text};
use super::super::xss;
use super::writer::ADDRESS;
use super::*;

fn rendered(text: &str) -> String {
    let markup = markdown(text).into_string();
    assert_harmless(&markup);
    let inner = markup.strip_prefix(r#"<div class="md">"#).and_then(|rest| rest.strip_suffix("</div>"));
    inner.expect("its own element").to_owned()
}

#[test]
fn what_models_write_is_rendered() {
    for (text, expected) in [
        ("a *b* **c** ~~d~~ `e<f`", "<p>a <em>b</em> <strong>c</strong> <s>d</s> <code>e&lt;f</code></p>"),
        ("a\nb  \nc", "<p>a\nb<br>c</p>"),
        ("# A\n## B\n### C\n###### D", "<h4>A</h4><h5>B</h5><h6>C</h6><h6>D</h6>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("3. a", r#"<ol start="3"><li>a</li></ol>"#),
        ("> q", "<blockquote><p>q</p></blockquote>"),
        ("---", "<hr>"),
        (
            "- [ ] a\n- [x] b",
            concat!(
                r#"<ul><li><span class="task" role="img" aria-label="to do">☐</span> a</li>"#,
                r#"<li><span class="task" role="img" aria-label="done">☑</span> b</li></ul>"#
            ),
        ),
        (
            "|a|b|\n|-|-|\n|1|<|",
            concat!(
                r#"<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">a</th><th scope="col">b</th></tr>"#,
                "</thead><tbody><tr><td>1</td><td>&lt;</td></tr></tbody></table></div>"
            ),
        ),
        (
            "```rust\nfn\n```",
            r#"<pre class="code" tabindex="0"><code><span class="hl-k">fn
</span></code></pre>"#,
        ),
        (
            "    <x>\n    y",
            r#"<pre class="code" tabindex="0"><code>&lt;x&gt;
y</code></pre>"#,
        ),
    ] {
        assert_eq!(rendered(text), expected, "{text}");
    }
}

#[test]
fn links_say_where_they_go() {
    let link = |to: &str| format!(r#"<a rel="noopener noreferrer nofollow" target="_blank" href="{to}">"#);
    for (text, expected) in [
        (
            "[a](https://a.invalid/?b=1&c)",
            format!(r#"{}a</a> <span class="address">(https://a.invalid/?b=1&amp;c)</span>"#, link("https://a.invalid/?b=1&amp;c")),
        ),
        ("<https://a.invalid>", format!("{}https://a.invalid</a>", link("https://a.invalid"))),
        ("<a@b.invalid>", format!("{}a@b.invalid</a>", link("mailto:a@b.invalid"))),
        (
            "[a](JavaScript:b)",
            r#"<span class="no-link">a</span> <span class="address">(JavaScript:b)</span>"#.to_owned(),
        ),
        ("[a](b.md)", r#"<span class="no-link">a</span> <span class="address">(b.md)</span>"#.to_owned()),
        (
            "![a *b*](https://a.invalid/x.png)",
            r#"<span class="image">[image: a <em>b</em>] <span class="address">(https://a.invalid/x.png)</span></span>"#
                .to_owned(),
        ),
    ] {
        assert_eq!(rendered(text), format!("<p>{expected}</p>"), "{text}");
    }
    let long = format!("[a](https://a.invalid/{})", "x".repeat(ADDRESS));
    assert!(!rendered(&long).contains("href"), "an address that carries data");
    let shown = shown_text(&rendered(&format!("[a](https://a.invalid/{})", "x".repeat(500))));
    assert_eq!(shown.chars().count(), "a (…)".chars().count() + 200);
}

#[test]
fn nothing_of_the_corpus_runs() {
    for text in xss::CORPUS {
        rendered(text);
        // Within others, where it may end what it stands in.
        for around in
            ["- {}", "> {}", "[{}](https://a.invalid)", "*{}*", "a {} b\n\n{}", "|{}|\n|-|\n|{}|", "```\n{}\n```"]
        {
            rendered(&around.replace("{}", text));
        }
        assert_harmless(&text::visible(text).into_string());
    }
}

#[test]
fn html_is_text() {
    assert_eq!(shown_text(&rendered("a <b onclick=x>c</b>")), "a <b onclick=x>c</b>");
    assert_eq!(shown_text(&rendered("<div>\n<script>x</script>\n</div>\n")), "<div>\n<script>x</script>\n</div>\n");
}

#[test]
fn deep_and_long_texts_are_bounded() {
    for unit in [">", "- ", "*a ", "[", "![", "1. ", "**a*", "`", "<", "&", "|", "_", "[a](", "> - ", "\\", "a\n> "] {
        let text = unit.repeat(20_000 / unit.len());
        let markup = rendered(&text);
        assert!(markup.len() < 3_000_000, "{unit}");
    }
    let deep = format!("{}x", "> ".repeat(500));
    assert_eq!(rendered(&deep).matches("<blockquote>").count(), 40);
    for depth in 34..44 {
        let around = "> ".repeat(depth);
        rendered(&format!("{around}|a|b|\n{around}|-|-|\n{around}|*1*|[2](https://a.invalid)|\n\n|c|\n|-|\n"));
    }
    let long = "*a* ".repeat(MOST / 4 + 1);
    assert_eq!(markdown(&long).into_string(), format!("<pre>{long}</pre>"));
}

#[test]
fn what_misleads_is_a_mark() {
    assert!(rendered("a\u{202e}b `\u{202e}`").matches("title=\"U+202E\"").count() == 2);
    assert!(!rendered("[a](https://a.invalid/\u{202e}b)").contains("href=\"https://a.invalid/\u{202e}"));
}

proptest! {
    #[test]
    fn any_text_is_harmless(text in any::<String>()) {
        rendered(&text);
    }

    #[test]
    fn any_markdown_is_harmless(
        text in "([a-z ]{1,3}|\n|\n\n|    |[*_~`>#|+-]{1,3}|\\[|\\]|\\(|\\)|!|<|>|/|https?:|javascript:|data:|&#?[a-z0-9]{1,4};|[0-9]\\.|\"|'|\t|\u{0}|\u{202e}|<script>|on[a-z]{2}=|- \\[x\\] |\\|-\\|){0,40}"
    ) {
        rendered(&text);
    }
}
