//! The pictures are taken apart again: what is drawn is what was given.

use maud::Markup;
use proptest::prelude::*;

use super::*;

/// An element of a picture, in the order of the document.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    /// What stands directly in it, as a reader sees it.
    text: String,
    /// The elements that it stands in.
    inside: Vec<String>,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> f64 {
        self.attribute(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).parse().unwrap()
    }

    fn has_class(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
    }
}

/// Reads a picture as strictly as XML is read.
fn parse(markup: &Markup) -> Vec<Element> {
    let mut rest = markup.0.as_str();
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some(at) = rest.find('<') {
        if let Some(place) = open.last() {
            elements[*place].text += &unescaped(&rest[..at]);
        } else {
            assert_eq!(&rest[..at], "");
        }
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let place = open.pop().expect("nothing is closed that was not opened");
            assert_eq!(elements[place].name, name);
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let inside = open.iter().map(|place| elements[*place].name.clone()).collect();
        open.push(elements.len());
        elements.push(Element { name: name.to_owned(), attributes: read(attributes), inside, ..Element::default() });
    }
    assert_eq!((open.len(), rest), (0, ""));
    elements
}

fn read(mut rest: &str) -> Vec<(String, String)> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a value ends");
        let name = name.trim();
        assert!(attributes.iter().all(|(other, _)| other != name), "{name} is there twice");
        attributes.push((name.to_owned(), unescaped(value)));
        rest = after;
    }
    assert_eq!(rest.trim(), "");
    attributes
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>']), "{text:?}");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn title() -> Title {
    Title { id: "c", title: "Title".to_owned(), desc: "What there is.".to_owned() }
}

/// What holds for every picture, whatever it shows.
fn is_sound(elements: &[Element]) {
    let picture = &elements[0];
    assert_eq!((picture.name.as_str(), picture.attribute("role")), ("svg", Some("img")));
    for (reference, name) in [("aria-labelledby", "title"), ("aria-describedby", "desc")] {
        let id = picture.attribute(reference).unwrap();
        let named: Vec<_> = elements.iter().filter(|element| element.attribute("id") == Some(id)).collect();
        assert!(matches!(named.as_slice(), [one] if one.name == name && !one.text.is_empty()));
    }
    let size: Vec<f64> = picture.attribute("viewBox").unwrap().split(' ').map(|n| n.parse().unwrap()).collect();
    for element in elements {
        for (name, value) in &element.attributes {
            assert!(name != "style" && !name.starts_with("on"), "{element:?}");
            if let Some(id) = value.strip_prefix("url(#").and_then(|id| id.strip_suffix(')')) {
                assert!(elements.iter().any(|other| other.attribute("id") == Some(id)), "{value} is not there");
            }
            if name == "points" || name == "d" || value.parse::<f64>().is_ok() {
                assert!(!value.contains("NaN") && !value.contains("inf"), "{element:?}");
            }
        }
        if element.inside.iter().any(|name| name == "pattern") {
            continue;
        }
        for (name, most) in [("x", size[2]), ("x1", size[2]), ("x2", size[2]), ("cx", size[2]), ("y", size[3])] {
            if element.attribute(name).is_some() {
                let at = element.number(name);
                assert!((-0.05..=most + 0.05).contains(&at), "outside: {element:?}");
            }
        }
        for name in ["width", "height", "r"].into_iter().filter(|name| element.attribute(name).is_some()) {
            assert!(element.number(name) >= 0.0, "{element:?}");
        }
    }
}

fn sound(markup: &Markup) -> Vec<Element> {
    let elements = parse(markup);
    is_sound(&elements);
    elements
}

fn of_class<'a>(elements: &'a [Element], class: &str) -> Vec<&'a Element> {
    elements.iter().filter(|element| element.has_class(class)).collect()
}

fn texts<'a>(elements: &'a [Element], class: &str) -> Vec<&'a str> {
    of_class(elements, class).iter().map(|element| element.text.as_str()).collect()
}

fn bar(name: &str, value: Value) -> Bar {
    Bar { name: name.to_owned(), value, note: "of 9".to_owned(), is_text: false }
}

#[test]
fn bars_are_as_long_as_their_values() {
    let bars = vec![
        bar("rust", Value::Known(0.5)),
        bar("go", Value::Known(0.25)),
        bar("none", Value::Known(0.0)),
        bar("who knows", Value::Unknown),
        bar("nothing", Value::Nothing),
    ];
    let elements = sound(&Bars { title: title(), unit: Unit::Share, bars }.draw());
    let drawn = of_class(&elements, "chart-bar");
    assert_eq!(drawn.iter().map(|bar| bar.number("x")).collect::<Vec<_>>(), [0.0; 3], "from zero");
    let ticks = texts(&elements, "chart-tick");
    assert_eq!(ticks, ["0 %", "20 %", "40 %", "60 %"]);
    assert_eq!(drawn.iter().map(|bar| bar.number("width")).collect::<Vec<_>>(), [300.0, 150.0, 0.0]);
    assert_eq!(texts(&elements, "chart-name"), ["rust", "go", "none", "who knows", "nothing"]);
    assert_eq!(texts(&elements, "chart-value"), ["50.0 % of 9", "25.0 % of 9", "0.0 % of 9", "?", "-"]);
    let [unknown] = of_class(&elements, "chart-unknown")[..] else { panic!("one is unknown") };
    assert_eq!((unknown.number("y"), unknown.attribute("fill")), (106.0, Some("url(#c-unknown)")));
}

#[test]
fn columns_are_as_high_as_their_values() {
    let values = [Value::Known(10.0), Value::Known(5.0), Value::Unknown, Value::Nothing, Value::Known(0.0)];
    let columns = values.iter().enumerate().map(|(n, value)| Column { name: format!("{n:02}"), value: *value });
    let elements = sound(&Columns { title: title(), unit: Unit::Count, columns: columns.collect() }.draw());
    let drawn = of_class(&elements, "chart-bar");
    assert_eq!(drawn.iter().map(|column| column.number("height")).collect::<Vec<_>>(), [150.0, 75.0, 0.0]);
    assert!(drawn.iter().all(|column| column.number("y") + column.number("height") == 160.0), "they stand on the axis");
    assert_eq!(texts(&elements, "chart-value"), ["?", "-"]);
    assert_eq!(of_class(&elements, "chart-unknown").len(), 1);
    let told: Vec<_> = elements.iter().filter(|one| one.name == "title").map(|one| one.text.as_str()).skip(1).collect();
    assert_eq!(told, ["00: 10", "01: 5", "02: ?", "04: 0"]);
    // Of a day's hours not each has room for its name.
    let columns = (0..24).map(|hour| Column { name: format!("{hour:02}"), value: Value::Known(1.0) }).collect();
    let elements = sound(&Columns { title: title(), unit: Unit::Count, columns }.draw());
    assert_eq!(texts(&elements, "chart-tick")[2..], ["00", "03", "06", "09", "12", "15", "18", "21"]);
}

fn points(values: &[(i64, Value)]) -> Vec<Point> {
    values.iter().map(|(day, value)| Point { day: *day, value: *value }).collect()
}

#[test]
fn lines_go_through_their_days_and_not_across_gaps() {
    let rate = [
        (20_000, Value::Known(0.1)),
        (20_001, Value::Known(0.4)),
        (20_003, Value::Known(0.2)),
        (20_004, Value::Unknown),
        (20_005, Value::Unknown),
        (20_006, Value::Nothing),
        (20_007, Value::Known(0.0)),
    ];
    let other = [(20_000, Value::Known(0.2)), (20_007, Value::Known(0.0))];
    let lines = vec![Line { name: "one", points: points(&rate) }, Line { name: "other", points: points(&other) }];
    let elements = sound(&Lines { title: title(), unit: Unit::Share, lines }.draw());
    let runs: Vec<_> = of_class(&elements, "chart-line-0").iter().map(|run| run.attribute("points").unwrap()).collect();
    // 236 units for eight days; 150 units for 0 to 40 %.
    assert_eq!(runs, ["54.8,122.5 84.2,10", "143.2,85", "261.2,160"]);
    assert_eq!(of_class(&elements, "chart-line-1").len(), 2);
    assert!(of_class(&elements, "chart-line-1").iter().all(|run| run.attribute("stroke-dasharray") == Some("6 3")));
    let [band] = of_class(&elements, "chart-unknown")[..] else { panic!("one span of unknown days") };
    assert_eq!((band.number("x"), band.number("width")), (158.0, 59.0));
    assert_eq!(texts(&elements, "chart-value"), ["?"]);
    let names = of_class(&elements, "chart-line-name");
    let mut ends: Vec<_> = names.iter().map(|name| (name.number("y"), name.text.as_str())).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert_eq!(ends, [(151.0, "one"), (164.0, "other")], "they are not on each other");
    assert_eq!(texts(&elements, "chart-tick")[5..], ["10-04", "10-06", "10-08", "10-10"]);
}

#[test]
fn what_is_known_of_a_day_is_drawn_though_another_line_is_unknown_there() {
    let lines = vec![
        Line { name: "one", points: points(&[(1, Value::Known(1.0))]) },
        Line { name: "other", points: points(&[(1, Value::Unknown)]) },
    ];
    let elements = sound(&Lines { title: title(), unit: Unit::Count, lines }.draw());
    assert_eq!((of_class(&elements, "chart-unknown").len(), of_class(&elements, "chart-mark").len()), (0, 1));
}

fn range(name: &str, values: [f64; 3]) -> Range {
    Range { name: name.to_owned(), values: values.map(Value::Known) }
}

#[test]
fn ranges_stand_where_their_percentiles_are() {
    let ranges = vec![
        range("fast", [100.0, 200.0, 400.0]),
        Range { name: "unknown".to_owned(), values: [Value::Unknown; 3] },
        Range { name: "none".to_owned(), values: [Value::Nothing; 3] },
    ];
    let elements = sound(&Ranges { title: title(), ranges }.draw());
    let [span] = of_class(&elements, "chart-span")[..] else { panic!("one is known") };
    assert_eq!((span.number("x1"), span.number("x2")), (93.0, 354.0));
    assert_eq!(of_class(&elements, "chart-p50").last().unwrap().number("cx"), 93.0);
    assert_eq!(of_class(&elements, "chart-p99").last().unwrap().number("x"), 352.5);
    assert_eq!(texts(&elements, "chart-value"), ["100 ms / 200 ms / 400 ms", "?", "-"]);
    assert_eq!(texts(&elements, "chart-tick"), ["p50", "p90", "p99", "0 ms", "100 ms", "200 ms", "300 ms", "400 ms"]);
}

#[test]
fn ranges_of_a_wide_spread_go_by_decades() {
    let elements = sound(
        &Ranges { title: title(), ranges: vec![range("a", [10.0, 100.0, 1_000.0]), range("b", [0.0, 0.5, 10.0])] }
            .draw(),
    );
    let cx: Vec<_> = of_class(&elements, "chart-p50").iter().skip(1).map(|dot| dot.number("cx")).collect();
    assert_eq!(cx, [122.0, 6.0], "what is under a millisecond stands at the left end");
    let ticks = texts(&elements, "chart-tick");
    assert_eq!(ticks[3..], ["each step is ten times the last", "1 ms", "10 ms", "100 ms", "1 s"]);
    let below = sound(&Ranges { title: title(), ranges: vec![range("a", [-10.0, 1.0, 1_000.0])] }.draw());
    assert_eq!(texts(&below, "chart-tick")[3..], ["-500 ms", "0 ms", "500 ms", "1 s"], "below zero goes by steps");
}

#[test]
fn histogram_has_its_percentiles_in_the_columns_where_they_are_counted() {
    let marks = vec![("p50", Value::Known(10.0)), ("p90", Value::Known(1_000.0)), ("p99", Value::Known(5e5))];
    let histogram = |counts, marks| Histogram { title: title(), bounds: &[10, 100, 1_000, 10_000], counts, marks };
    let elements = sound(&histogram(&[0, 10, 5, 0, 5], marks).draw());
    let bars: Vec<_> =
        of_class(&elements, "chart-bar").iter().map(|bar| (bar.number("x"), bar.number("height"))).collect();
    // 320 units for five columns, 131 units for ten.
    assert_eq!(bars, [(41.0, 0.0), (105.0, 131.0), (169.0, 65.5), (233.0, 0.0), (297.0, 65.5)]);
    let told: Vec<_> = elements.iter().filter(|one| one.name == "title").map(|one| one.text.as_str()).skip(1).collect();
    assert_eq!(
        told,
        ["below 10 ms: 0", "10 ms to 100 ms: 10", "100 ms to 1 s: 5", "1 s to 10 s: 0", "10 s and more: 5"]
    );
    let cuts: Vec<_> = of_class(&elements, "chart-cut").iter().map(|cut| cut.number("x1")).collect();
    assert_eq!(
        cuts,
        [104.0, 232.0, 328.0],
        "at the bound, at the bound, and where there is no other bound in the middle"
    );
    let names = of_class(&elements, "chart-cut-name");
    let names: Vec<_> = names.iter().map(|name| (name.text.as_str(), name.attribute("text-anchor").unwrap())).collect();
    assert_eq!(names, [("p50 10 ms", "start"), ("p90 1 s", "start"), ("p99 8.3 min", "end")]);
    assert_eq!(texts(&elements, "chart-tick")[3..], ["10 ms", "100 ms", "1 s", "10 s"]);
    let unknown = sound(&histogram(&[0; 5], vec![("p50", Value::Unknown)]).draw());
    assert_eq!((texts(&unknown, "chart-value"), of_class(&unknown, "chart-unknown").len()), (vec!["?"], 1));
    let nothing = sound(&histogram(&[0; 5], vec![("p50", Value::Nothing)]).draw());
    assert_eq!(texts(&nothing, "chart-label"), ["nothing to draw"]);
}

#[test]
fn bar_that_would_dwarf_the_others_is_text() {
    let bars = vec![bar("a", Value::Known(4.0)), Bar { is_text: true, ..bar("9 others", Value::Known(400.0)) }];
    let elements = sound(&Bars { title: title(), unit: Unit::Count, bars }.draw());
    let [drawn] = of_class(&elements, "chart-bar")[..] else { panic!("one is drawn") };
    assert_eq!(drawn.number("width"), 360.0);
    assert_eq!(texts(&elements, "chart-value"), ["4 of 9", "400 of 9"]);
}

#[test]
fn shares_fill_the_whole() {
    let share = |name: &str, parts| Share { name: name.to_owned(), parts };
    let shares = vec![
        share("a", Some(vec![1.0, 2.0, 1.0])),
        share("b", None),
        share("c", Some(vec![0.0; 3])),
        share("d", Some(vec![f64::NAN, -1.0, 5.0])),
    ];
    let elements = sound(&Shares { title: title(), parts: vec!["x", "y", "z"], shares }.draw());
    let parts = &of_class(&elements, "chart-part")[3..];
    let drawn: Vec<_> = parts.iter().map(|part| (part.number("x"), part.number("width"))).collect();
    assert_eq!(drawn, [(0.0, 90.0), (90.0, 180.0), (270.0, 90.0), (0.0, 0.0), (0.0, 0.0), (0.0, 360.0)]);
    let fills: Vec<_> = parts[..3].iter().map(|part| part.attribute("fill").unwrap()).collect();
    assert_eq!(fills, ["url(#c-part-0)", "url(#c-part-1)", "url(#c-part-2)"]);
    let values = texts(&elements, "chart-value");
    assert_eq!(values, ["25.0 % / 50.0 % / 25.0 %", "?", "-", "0.0 % / 0.0 % / 100.0 %"]);
    assert_eq!(texts(&elements, "chart-label"), ["x", "y", "z"]);
}

#[test]
fn nothing_is_a_picture_too() {
    let empty = [
        Bars { title: title(), unit: Unit::Count, bars: Vec::new() }.draw(),
        Columns { title: title(), unit: Unit::Count, columns: Vec::new() }.draw(),
        Lines { title: title(), unit: Unit::Count, lines: vec![Line { name: "a", points: Vec::new() }] }.draw(),
        Ranges { title: title(), ranges: Vec::new() }.draw(),
        Shares { title: title(), parts: vec!["a"], shares: Vec::new() }.draw(),
    ];
    for picture in empty {
        assert_eq!(texts(&sound(&picture), "chart-label"), ["nothing to draw"]);
    }
}

#[test]
fn hostile_names_are_text_and_have_an_end() {
    let name = format!("</text><script>alert(1)</script>\"'&\u{202e}\x1b[2J{}", "x".repeat(1_000_000));
    let title = || Title { title: name.chars().take(60).collect(), ..title() };
    let pictures = [
        Bars {
            title: title(),
            unit: Unit::Count,
            bars: vec![Bar { note: name.clone(), ..bar(&name, Value::Known(1.0)) }],
        }
        .draw(),
        Columns {
            title: title(),
            unit: Unit::Count,
            columns: vec![Column { name: name.clone(), value: Value::Unknown }],
        }
        .draw(),
        Ranges { title: title(), ranges: vec![range(&name, [1.0; 3])] }.draw(),
        Shares { title: title(), parts: vec!["a"], shares: vec![Share { name: name.clone(), parts: None }] }.draw(),
    ];
    for picture in pictures {
        let elements = sound(&picture);
        assert!(elements.iter().all(|element| element.name != "script"));
        assert!(elements.iter().any(|element| element.text.starts_with("</text>")), "it is there as text");
        assert!(!picture.0.chars().any(|letter| letter.is_control() || letter == '\u{202e}'));
        assert!(picture.0.len() < 5_000, "{}", picture.0.len());
    }
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MIN_POSITIVE),
        Just(f64::MAX),
        Just(0.0),
        0.0..1e6
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![4 => any_number().prop_map(Value::Known), 1 => Just(Value::Unknown), 1 => Just(Value::Nothing)]
}

fn any_unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![Unit::Count, Unit::Share, Unit::Millis])
}

proptest! {
    #[test]
    fn histograms_of_any_numbers(
        bounds in prop::collection::vec(any::<u32>(), 0..9),
        counts in prop::collection::vec(any::<u32>(), 0..9),
        marks in [any_value(), any_value(), any_value(), any_value()],
    ) {
        let marks = marks.map(|value| ("p50", value)).into();
        sound(&Histogram { title: title(), bounds: &bounds, counts: &counts, marks }.draw());
    }

    #[test]
    fn bars_and_columns_of_any_numbers(values in prop::collection::vec(any_value(), 0..20), unit in any_unit()) {
        let bars = values.iter().map(|value| bar("a", *value)).collect();
        sound(&Bars { title: title(), unit, bars }.draw());
        let columns = values.iter().map(|value| Column { name: "a".to_owned(), value: *value }).collect();
        sound(&Columns { title: title(), unit, columns }.draw());
    }

    #[test]
    fn lines_of_any_numbers(
        one in prop::collection::vec((prop_oneof![any::<i64>(), 20_000..20_100_i64], any_value()), 0..60),
        two in prop::collection::vec((20_000..20_100_i64, any_value()), 0..60),
        unit in any_unit(),
    ) {
        let lines = vec![Line { name: "one", points: points(&one) }, Line { name: "two", points: points(&two) }];
        sound(&Lines { title: title(), unit, lines }.draw());
    }

    #[test]
    fn ranges_and_shares_of_any_numbers(values in prop::collection::vec([any_value(), any_value(), any_value()], 0..9)) {
        let ranges = values.iter().map(|values| Range { name: "a".to_owned(), values: *values }).collect();
        sound(&Ranges { title: title(), ranges }.draw());
        let number = |value: &Value| if let Value::Known(number) = value { *number } else { 0.0 };
        let shares = values.iter().map(|values| {
            Share { name: "a".to_owned(), parts: Some(values.iter().map(number).collect()) }
        });
        sound(&Shares { title: title(), parts: vec!["a", "b", "c"], shares: shares.collect() }.draw());
    }
}
