use proptest::prelude::*;

use super::super::harmless::{assert_harmless, shown_text};
use super::*;

fn language(id: &str) -> Option<Language> {
    Some(Language::of_id(id).unwrap())
}

fn check(text: &str, language: Option<Language>) -> String {
    let markup = highlight(text, language).into_string();
    assert_harmless(&markup);
    assert_eq!(shown_text(&markup), text);
    markup
}

#[test]
fn parts_have_classes() {
    let markup = check("// hi\nfn add(a: u8) -> u8 { a + 1 }\nlet s = \"x\\n\";\n", language("rust"));
    for expected in [
        r#"<span class="hl-c">// hi"#,
        r#"<span class="hl-k">fn "#,
        r#"<span class="hl-f">add"#,
        r#"<span class="hl-n">1 "#,
        r#"<span class="hl-s">&quot;x"#,
        r#"<span class="hl-l">\n"#,
    ] {
        assert!(markup.contains(expected), "{expected} in {markup}");
    }
}

#[test]
fn a_page_highlights_so_much_and_no_more() {
    let text = "let a = 1;\n".repeat(6_000);
    let mut budget = Budget::new();
    assert!(highlight_within(&mut budget, &text, language("rust")).into_string().contains("hl-k"));
    let second = highlight_within(&mut budget, &text, language("rust")).into_string();
    assert_eq!(second, text, "more than is left for the page");
    budget.time = TIME;
    assert!(highlight_within(&mut budget, "let", language("rust")).into_string().contains("hl-k"));
}

#[test]
fn without_time_a_text_is_plain() {
    let mut budget = Budget { time: Duration::ZERO, ..Budget::new() };
    assert_eq!(highlight_within(&mut budget, "let a\n", language("rust")).into_string(), "let a\n");
}

#[test]
fn a_text_of_no_language_is_plain() {
    assert_eq!(check("let <x> = 1", None), "let &lt;x&gt; = 1");
}

#[test]
fn long_lines_and_long_texts_are_plain() {
    let line = format!("let a = 1;\n{}\nlet b = 2;\n", "x = 1;".repeat(LINE));
    let markup = check(&line, language("rust"));
    assert_eq!(markup.matches("hl-k").count(), 2, "{markup}");
    let long = "let a = 1;\n".repeat(MOST / 11 + 1);
    assert!(!check(&long, language("rust")).contains("hl-"));
}

#[test]
fn what_goes_on_is_read_behind_what_was_before() {
    let of = |before: &str, text: &str| {
        pieces(&mut Budget::new(), &[before, text], language("rust")).pop().unwrap().into_string()
    };
    assert_eq!(
        of("/* a\n b ", "fn c\nd */ fn"),
        r#"<span class="hl-c">fn c
d */ </span><span class="hl-k">fn</span>"#
    );
    assert_eq!(of("fn ", "add() {}").split('(').next(), Some(r#"<span class="hl-f">add</span><span class="hl-p">"#));
    assert_eq!(of("", ""), "");
    assert_eq!(of("let s = \"", "a\";"), r#"<span class="hl-s">a&quot;</span><span class="hl-p">;</span>"#);
}

#[test]
fn hostile_text_is_shown() {
    let texts = [
        "<script>alert(1)</script>\n</code></pre><img src=x onerror=alert(1)>\n",
        "\u{202e}\0\x1b[31m\u{feff}\r\n\r\u{2028}é\n",
        "<<EOF\n$(`${\"'\\\n<?php <% {{ {% #{ ]]>\n--><!--\n/*\n\"\"\"\n'''\n",
        "((((((((((((((((((((((((((((((((a*)*)*)*)*b\n",
        "<<A.*+?[(\\\n<<'B\n<<-\"C\nR\"((((\nr###\"\n[==[\n",
    ];
    for id in [
        "rust",
        "html",
        "php",
        "ruby",
        "perl",
        "shellscript",
        "markdown",
        "typescriptreact",
        "python",
        "yaml",
        "cpp",
        "vue",
        "latex",
        "lua",
        "scala",
        "swift",
        "css",
        "diff",
        "makefile",
        "dockerfile",
    ] {
        for text in texts {
            check(text, language(id));
        }
    }
}

proptest! {
    #[test]
    fn the_text_is_the_one_that_was_given(text in any::<String>(), which in 0_usize..12) {
        let ids =
            ["rust", "html", "python", "php", "markdown", "shellscript", "typescriptreact", "yaml", "c", "vue", "sql", "perl"];
        check(&text, language(ids[which]));
    }

    #[test]
    fn pieces_of_code_too(
        text in "([a-z_]{1,4}|[ \t\n\r]|\"|'|`|/\\*|\\*/|//|#|[(){}<>;:=+.,$@\\[\\]\\\\]|<!--|-->|</?script>|é|\u{202e}|0x1f|EOF){0,60}",
        at in 0_usize..60,
        which in 0_usize..6,
    ) {
        let language = language(["rust", "html", "python", "shellscript", "typescriptreact", "php"][which]);
        check(&text, language);
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        prop_assume!(!text[..at].ends_with('\r'));
        let both = pieces(&mut Budget::new(), &[&text[..at], "", &text[at..], ""], language);
        let both: Vec<_> = both.into_iter().map(PreEscaped::into_string).collect();
        both.iter().for_each(|piece| assert_harmless(piece));
        let shown: Vec<_> = both.iter().map(|piece| shown_text(piece)).collect();
        prop_assert_eq!(shown, [&text[..at], "", &text[at..], ""]);
    }
}
