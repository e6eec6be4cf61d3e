//! Lines over days.

use chrono::DateTime;
use maud::{Markup, html};

use super::frame::{Plot, WIDTH, empty, picture, unknown_fill, unknown_pattern};
use super::scale::Linear;
use super::text::{at, cut};
use super::{Title, Unit, Value};

/// A chart of lines over days. A day without a number is a gap: no line goes across it.
#[derive(Clone, Debug)]
pub struct Lines {
    /// What it is called.
    pub title: Title,
    /// What the values are.
    pub unit: Unit,
    /// The lines: at most three can be told apart.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Stands at its end.
    pub name: &'static str,
    /// By day.
    pub points: Vec<Point>,
}

/// One day.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Counted from 1970.
    pub day: i64,
    /// What was that day.
    pub value: Value,
}

const HEIGHT: f64 = 180.0;
const PLOT: Plot = Plot { left: 40.0, right: WIDTH - 84.0, top: 10.0, bottom: HEIGHT - 20.0 };
/// Dashes tell lines apart.
const DASHES: [&str; 3] = ["", "6 3", "2 3"];
/// More days than this have markers only where a line would not be seen.
const MARKED: usize = 45;
/// Labels of lines stay so far apart.
const APART: f64 = 13.0;

/// Where days and numbers stand.
#[derive(Clone, Copy)]
struct Room {
    plot: Plot,
    days: Days,
    scale: Linear,
}

/// The days from the first to the last.
#[derive(Clone, Copy)]
struct Days {
    first: i64,
    last: i64,
}

impl Room {
    /// Units a day is wide.
    fn pitch(&self) -> f64 {
        (self.plot.right - self.plot.left) / (self.days.last.abs_diff(self.days.first) as f64 + 1.0)
    }

    /// The middle of a day.
    fn x(&self, day: i64) -> f64 {
        self.plot.left + self.pitch() * (day.abs_diff(self.days.first) as f64 + 0.5)
    }

    fn y(&self, number: f64) -> f64 {
        self.plot.y(self.scale.place(number))
    }
}

impl Days {
    fn of(lines: &[Line]) -> Option<Self> {
        let days = || lines.iter().flat_map(|line| &line.points).map(|point| point.day);
        Some(Self { first: days().min()?, last: days().max()? })
    }

    /// A few days with their names.
    fn named(self) -> Vec<(i64, String)> {
        const NAMES: u64 = 4;
        let span = self.last.abs_diff(self.first);
        let form = if span > 300 { "%Y-%m" } else { "%m-%d" };
        let step = (span / NAMES + 1).max(1);
        (0..=NAMES)
            .map(|n| self.first.saturating_add_unsigned(n * step))
            .take_while(|day| *day <= self.last)
            .filter_map(|day| {
                let time = DateTime::from_timestamp(day.checked_mul(86_400)?, 0)?;
                Some((day, time.format(form).to_string()))
            })
            .collect()
    }
}

impl Lines {
    /// The picture.
    #[must_use]
    pub fn draw(&self) -> Markup {
        let Some(days) = Days::of(&self.lines) else { return empty(&self.title) };
        let numbers = self.lines.iter().flat_map(|line| &line.points).filter_map(|point| point.value.number());
        let scale = Linear::around(numbers, self.unit, 4);
        let ticks = scale.ticks();
        let room = Room { plot: PLOT.beside(&ticks, self.unit), days, scale };
        let content = html! {
            defs { (unknown_pattern(&self.title)) }
            (room.plot.left_axis(&ticks, self.unit, |tick| scale.place(tick)))
            @for (day, name) in days.named() {
                text.chart-tick x=(at(room.x(day))) y=(at(HEIGHT - 5.0)) text-anchor="middle" { (name) }
            }
            @for band in self.unknown() { (self.band(band, &room)) }
            @for (n, line) in self.lines.iter().enumerate() { (self.line(line, n, &room)) }
            @for (n, y) in self.ends(&room) {
                text class=(format!("chart-line-name chart-line-name-{}", n % 3)) x=(at(PLOT.right + 12.0))
                    y=(at(y + 4.0)) { (cut(self.lines[n].name, 12)) }
            }
        };
        picture(&self.title, HEIGHT, &content)
    }

    /// Spans of days that follow each other, of which something is unknown and nothing is known.
    fn unknown(&self) -> Vec<Days> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let known: std::collections::BTreeSet<i64> =
            points().filter(|point| point.value.number().is_some()).map(|point| point.day).collect();
        let mut days: Vec<i64> = points().filter(|point| point.value.is_unknown()).map(|point| point.day).collect();
        days.sort_unstable();
        days.dedup();
        let mut bands: Vec<Days> = Vec::new();
        for day in days.into_iter().filter(|day| !known.contains(day)) {
            match bands.last_mut() {
                Some(band) if band.last.checked_add(1) == Some(day) => band.last = day,
                _ => bands.push(Days { first: day, last: day }),
            }
        }
        bands
    }

    fn band(&self, band: Days, room: &Room) -> Markup {
        let half = room.pitch() / 2.0;
        let (left, right) = (room.x(band.first) - half, room.x(band.last) + half);
        html! {
            rect.chart-unknown x=(at(left)) y=(at(PLOT.top)) width=(format!("{:.2}", right - left))
                height=(at(PLOT.bottom - PLOT.top)) fill=(unknown_fill(&self.title)) {}
            text.chart-value x=(at((left + right) / 2.0)) y=(at(PLOT.bottom - 4.0)) text-anchor="middle" { "?" }
        }
    }

    fn line(&self, line: &Line, n: usize, room: &Room) -> Markup {
        let mut points: Vec<(i64, f64)> =
            line.points.iter().filter_map(|point| Some((point.day, point.value.number()?))).collect();
        points.sort_unstable_by_key(|(day, _)| *day);
        let runs: Vec<&[(i64, f64)]> = points.chunk_by(|(a, _), (b, _)| a.checked_add(1) == Some(*b)).collect();
        let place = |(day, number): &(i64, f64)| (room.x(*day), room.y(*number));
        html! {
            @for run in &runs {
                @let path: Vec<String> = run.iter().map(place).map(|(x, y)| format!("{},{}", at(x), at(y))).collect();
                polyline class=(format!("chart-line chart-line-{}", n % 3)) points=(path.join(" ")) fill="none"
                    stroke-dasharray=[Some(DASHES[n % 3]).filter(|dashes| !dashes.is_empty())] {}
                @for point in run.iter().filter(|_| points.len() <= MARKED || run.len() == 1) {
                    @let (x, y) = place(point);
                    @let day = DateTime::from_timestamp(point.0.saturating_mul(86_400), 0)
                        .map_or_else(|| "-".to_owned(), |day| day.format("%Y-%m-%d").to_string());
                    (marker(n, x, y, &format!("{day}: {} {}", line.name, self.unit.value(point.1))))
                }
            }
        }
    }

    /// Where the names of lines go: at their last points, but not on each other.
    fn ends(&self, room: &Room) -> Vec<(usize, f64)> {
        let last = |line: &Line| {
            let known = line.points.iter().filter_map(|point| Some((point.day, point.value.number()?)));
            known.max_by_key(|(day, _)| *day).map(|(_, number)| room.y(number))
        };
        let mut ends: Vec<(usize, f64)> =
            self.lines.iter().enumerate().filter_map(|(n, line)| Some((n, last(line)?))).collect();
        ends.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut least = PLOT.top;
        // The lowest leave room for those that are pushed down.
        let many = ends.len();
        for (place, (_, y)) in ends.iter_mut().enumerate() {
            *y = y.min(PLOT.bottom - APART * (many - 1 - place) as f64).max(least);
            least = *y + APART;
        }
        ends
    }
}

/// Dot, square, triangle.
fn marker(n: usize, x: f64, y: f64, told: &str) -> Markup {
    let class = format!("chart-mark chart-mark-{}", n % 3);
    html! {
        @match n % 3 {
            0 => circle class=(class) cx=(at(x)) cy=(at(y)) r="3" { title { (told) } },
            1 => rect class=(class) x=(at(x - 3.0)) y=(at(y - 3.0)) width="6" height="6" { title { (told) } },
            _ => path class=(class) d=(format!("M{} {} l4 7 h-8 Z", at(x), at(y - 4.0))) { title { (told) } },
        }
    }
}
