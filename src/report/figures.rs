//! Figures of a report as SVG, drawn by `plotters`.
//!
//! Colours are names that the page's style sheet defines, so that one drawing is legible on white, on black and on paper; lines
//! differ by marker as well as by colour. Everything is drawn at twice its usual size, because plotters places whole units.

use super::{Cell, Curve, Point, Table, capital, title};
use crate::error::{Error, Result};
use crate::evaluate::resample::Estimate;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;
use std::fmt::Display;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A drawing with its words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Figure {
    /// The drawing.
    pub svg: String,
    /// What it shows, for those who cannot see it.
    pub label: String,
    /// How to read it.
    pub caption: String,
}

/// Stands for the colour of text; see [`themed`].
const INK: RGBColor = RGBColor(1, 1, 1);
/// The colours of lines: in the style sheet four of Okabe and Ito's palette, which colour-blind readers tell apart.
const SERIES: [RGBColor; 4] = [RGBColor(2, 1, 1), RGBColor(3, 1, 1), RGBColor(4, 1, 1), RGBColor(5, 1, 1)];

/// The drawing with its stand-in colours replaced by those of the style sheet.
fn themed(svg: &str) -> String {
    let mut svg = svg.replace("\"#010101\"", "\"currentColor\"");
    for (at, RGBColor(red, ..)) in SERIES.iter().enumerate() {
        svg = svg.replace(&format!("\"#{red:02X}0101\""), &format!("\"var(--series-{})\"", at + 1));
    }
    svg.trim_end().to_string()
}

fn series(at: usize) -> RGBColor {
    SERIES.get(at % SERIES.len()).copied().unwrap_or(INK)
}

/// Text sizes in drawing units: half of this on the page.
const SMALL: i32 = 26;
const LARGE: i32 = 28;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn drawn(size: (u32, u32), draw: impl Fn(&Area) -> Result<(), Box<dyn std::error::Error>>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?)).map_err(failed)?;
    }
    Ok(themed(&svg))
}

fn failed(error: impl Display) -> Error {
    Error::io(format!("a figure cannot be drawn: {error}"))
}

/// A line with the shape that marks its points.
struct Line<'a> {
    name: &'a str,
    points: &'a [Point],
}

/// Lines over two axes.
struct Plot<'a> {
    x_label: &'a str,
    y_label: &'a str,
    x: Axis,
    y: Axis,
    lines: Vec<Line<'a>>,
    /// A thin line from corner to corner.
    diagonal: bool,
    /// Places and heights of bars at the foot, in units of the axes.
    bars: Vec<[f64; 3]>,
    legend: SeriesLabelPosition,
}

/// What an axis shows.
struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Axis {
    fn new(low: f64, high: f64) -> Self {
        Axis { low, high, logarithmic: false }
    }

    /// From 0 (or a tenth below the lowest figure) to 1.
    fn shares(points: impl Iterator<Item = Point>) -> Self {
        let lowest = points.flat_map(|p| [p.y.value, p.y.low]).flatten().fold(1.0, f64::min);
        Axis::new(
            ((lowest * 10.0).floor() / 10.0 - 0.1).clamp(-1.0, 0.9).max(if lowest < 0.0 { -1.0 } else { 0.0 }),
            1.0,
        )
    }

    /// Around the points; counts that differ much are drawn by their logarithm.
    fn counts(points: impl Iterator<Item = Point> + Clone) -> Self {
        let (low, high) =
            (points.clone().map(|p| p.x).fold(f64::MAX, f64::min), points.map(|p| p.x).fold(0.0, f64::max));
        let logarithmic = low > 0.0 && high / low > 5.0;
        if logarithmic {
            return Axis { low: low.log10() - 0.05, high: high.log10() + 0.05, logarithmic };
        }
        let margin = ((high - low) * 0.05).max(0.5);
        Axis { low: low - margin, high: high + margin, logarithmic }
    }

    fn place(&self, value: f64) -> f64 {
        if self.logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value }
    }

    fn label(&self, place: f64) -> String {
        match place {
            _ if self.logarithmic => rounded(10f64.powf(place)).to_string(),
            _ if self.high > 2.0 => format!("{place:.0}"),
            _ => format!("{place:.1}"),
        }
    }
}

/// The number with two digits that count.
fn rounded(number: f64) -> f64 {
    let unit = 10f64.powf(number.abs().max(1.0).log10().floor() - 1.0).max(1.0);
    (number / unit).round() * unit
}

/// The curve as a figure; none where it has no point.
pub(super) fn of_curve(curve: &Curve) -> Result<Option<Figure>> {
    let points = || curve.lines.values().flatten().copied();
    if points().next().is_none() {
        return Ok(None);
    }
    let shares = points().all(|p| (0.0..=1.0).contains(&p.x));
    let plot = Plot {
        x_label: &capital(&title(&curve.x)),
        y_label: &capital(&title(&curve.y)),
        x: if shares { Axis::new(0.0, 1.0) } else { Axis::counts(points()) },
        y: if shares { Axis::new(0.0, 1.0) } else { Axis::shares(points()) },
        lines: curve.lines.iter().map(|(name, points)| Line { name, points }).collect(),
        diagonal: false,
        bars: Vec::new(),
        legend: if shares { SeriesLabelPosition::LowerLeft } else { SeriesLabelPosition::LowerRight },
    };
    let names: Vec<String> = curve.lines.keys().map(|name| title(name)).collect();
    Ok(Some(Figure {
        svg: lines(&plot)?,
        label: format!(
            "{}: {} by {}, for {}",
            capital(&title(&curve.name)),
            title(&curve.y),
            curve.x,
            names.join(", ")
        ),
        caption: capital(&curve.about),
    }))
}

/// The table as a figure where it has a shape that a figure shows better.
pub(super) fn of_table(table: &Table) -> Result<Option<Figure>> {
    if table.rows.is_empty() {
        return Ok(None);
    }
    let has = |column: &str| table.columns.iter().any(|c| c == column);
    if has("mean_probability") && has("accuracy") && has("rows") {
        return reliability(table).map(Some);
    }
    if table.of == "training rows" {
        return of_curve(&Curve::learning(&table.name, by_column(table, |name| name.parse().ok())));
    }
    if table.name == "coverage" && table.of == "most certain" {
        return coverage(table).map(Some);
    }
    if table.name.starts_with("by_")
        || ["types", "kinds", "lengths", "evidence", "pairs"].contains(&table.name.as_str())
    {
        return bars(table);
    }
    Ok(None)
}

fn column<'a>(table: &'a Table, name: &str) -> Vec<&'a Cell> {
    let Some(at) = table.columns.iter().position(|column| column == name) else { return Vec::new() };
    table.rows.iter().map(|(_, cells)| cells.get(at).unwrap_or(&Cell::Empty)).collect()
}

/// A line for each column, its points where `place` says that the row stands.
fn by_column(table: &Table, place: impl Fn(&str) -> Option<f64>) -> Vec<(String, Vec<Point>)> {
    let lines = table.columns.iter().map(|name| {
        let cells = table.rows.iter().zip(column(table, name));
        let points = cells.filter_map(|((row, _), cell)| Some(Point { x: place(row)?, y: estimate(cell)? }));
        (name.clone(), points.collect())
    });
    lines.collect()
}

fn estimate(cell: &Cell) -> Option<Estimate> {
    match cell {
        Cell::Estimate(estimate) if estimate.value.is_some() => Some(*estimate),
        _ => None,
    }
}

/// How often the model is right by how sure it is.
fn reliability(table: &Table) -> Result<Figure> {
    let figures = |name| column(table, name).into_iter().map(estimate);
    let points: Vec<Point> = figures("mean_probability")
        .zip(figures("accuracy"))
        .filter_map(|(probability, accuracy)| Some(Point { x: probability?.value?, y: accuracy? }))
        .collect();
    let counts = column(table, "rows").into_iter().map(|cell| if let Cell::Count(n) = cell { *n as f64 } else { 0.0 });
    let counts: Vec<f64> = counts.collect();
    let total: f64 = counts.iter().sum::<f64>().max(1.0);
    let bins = table.rows.iter().zip(&counts).filter_map(|((name, _), count)| {
        let (low, high) = name.split_once(" to ")?;
        Some([low.trim().parse().ok()?, high.trim().parse().ok()?, count / total])
    });
    let plot = Plot {
        x_label: "Probability of the answer",
        y_label: "Share that is right",
        x: Axis::new(0.0, 1.0),
        y: Axis::new(0.0, 1.0),
        lines: vec![Line { name: "", points: &points }],
        diagonal: true,
        bars: bins.collect(),
        legend: SeriesLabelPosition::UpperLeft,
    };
    Ok(Figure {
        svg: lines(&plot)?,
        label: "Reliability diagram: accuracy of the model by the probability it gives".into(),
        caption: "On the diagonal the probabilities are to be taken at their word; below it the model is too sure. The bars at the \
                  foot are the share of rows in each bin."
            .into(),
    })
}

/// Accuracy over the share of rows that is answered.
fn coverage(table: &Table) -> Result<Figure> {
    let share = |name: &str| name.split_whitespace().next()?.parse::<f64>().ok().map(|percent| percent / 100.0);
    let lines_of = by_column(table, share);
    let all = || lines_of.iter().flat_map(|(_, points)| points).copied();
    let lowest = all().map(|p| p.x).fold(1.0, f64::min);
    let plot = Plot {
        x_label: "Share of rows that is answered",
        y_label: "Accuracy",
        x: Axis::new((lowest - 0.02).min(0.98), 1.02),
        y: Axis::shares(all()),
        lines: lines_of.iter().map(|(name, points)| Line { name, points }).collect(),
        diagonal: false,
        bars: Vec::new(),
        legend: SeriesLabelPosition::LowerLeft,
    };
    Ok(Figure {
        svg: lines(&plot)?,
        label: "Coverage curve: accuracy over the share of rows that is answered, the surest first".into(),
        caption: "What is won when the least certain rows are left to a person; the tinted bands are the intervals."
            .into(),
    })
}

type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn lines(plot: &Plot) -> Result<String> {
    drawn((880, 720), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(16)
            .margin_right(28)
            .x_label_area_size(84)
            .y_label_area_size(96)
            .build_cartesian_2d(plot.x.low..plot.x.high, plot.y.low..plot.y.high)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.14))
            .axis_style(INK.mix(0.6))
            .label_style(("sans-serif", SMALL).into_font().color(&INK))
            .axis_desc_style(("sans-serif", LARGE).into_font().color(&INK))
            .x_desc(plot.x_label)
            .y_desc(plot.y_label)
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|place| plot.x.label(*place))
            .y_label_formatter(&|place| plot.y.label(*place))
            .draw()?;
        let foot = plot.y.low;
        let bar = |[low, high, share]: &[f64; 3]| {
            let inset = (high - low) * 0.08;
            Rectangle::new([(low + inset, foot), (high - inset, foot + share)], INK.mix(0.18).filled())
        };
        chart.draw_series(plot.bars.iter().map(bar))?;
        if plot.diagonal {
            let corner = plot.x.high.min(plot.y.high);
            let ends = [(plot.x.low.max(plot.y.low), plot.x.low.max(plot.y.low)), (corner, corner)];
            chart.draw_series(DashedLineSeries::new(ends, 12, 10, INK.mix(0.7).stroke_width(2)))?;
        }
        for (at, line) in plot.lines.iter().enumerate() {
            draw_line(&mut chart, plot, at, line)?;
        }
        if plot.lines.iter().any(|line| !line.name.is_empty()) {
            chart
                .configure_series_labels()
                .position(plot.legend.clone())
                .margin(16)
                .legend_area_size(64)
                .label_font(("sans-serif", SMALL).into_font().color(&INK))
                .draw()?;
        }
        Ok(())
    })
}

fn draw_line<'a>(
    chart: &mut Chart<'a>,
    plot: &Plot,
    at: usize,
    line: &Line,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let colour = series(at);
    let places: Vec<(f64, f64)> = line.points.iter().filter_map(|p| Some((plot.x.place(p.x), p.y.value?))).collect();
    let end = |end: fn(&Estimate) -> Option<f64>| {
        line.points.iter().filter_map(move |p| Some((plot.x.place(p.x), end(&p.y)?.clamp(plot.y.low, plot.y.high))))
    };
    let lower: Vec<(f64, f64)> = end(|y| y.low).collect();
    let band: Vec<(f64, f64)> = end(|y| y.high).chain(lower.into_iter().rev()).collect();
    if band.len() > 2 {
        chart.draw_series(std::iter::once(Polygon::new(band, colour.mix(0.14).filled())))?;
    }
    let path = PathElement::new(places.clone(), colour.stroke_width(4));
    let drawn = chart.draw_series(std::iter::once(path))?;
    if !line.name.is_empty() {
        drawn.label(title(line.name)).legend(move |(x, y)| {
            let stroke = PathElement::new(vec![(-24, 0), (24, 0)], colour.stroke_width(4));
            EmptyElement::at((x + 24, y)) + stroke + marker(at, colour)
        });
    }
    chart.draw_series(marked(&places).into_iter().map(|place| EmptyElement::at(place) + marker(at, colour)))?;
    Ok(())
}

/// Points that carry a marker: all of few, of many about every tenth of the way.
fn marked(places: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let step = places.len().div_ceil(12).max(1);
    places.iter().copied().skip(if places.len() > 12 { step / 2 } else { 0 }).step_by(step).collect()
}

/// A shape of its own for each line, around its place: a disc, a triangle, a square, a diamond.
fn marker(at: usize, colour: RGBColor) -> Polygon<(i32, i32)> {
    let corners = match at % 4 {
        0 => vec![
            (-9, 0),
            (-8, 5),
            (-5, 8),
            (0, 9),
            (5, 8),
            (8, 5),
            (9, 0),
            (8, -5),
            (5, -8),
            (0, -9),
            (-5, -8),
            (-8, -5),
        ],
        1 => vec![(-11, 9), (0, -11), (11, 9)],
        2 => vec![(-8, -8), (8, -8), (8, 8), (-8, 8)],
        _ => vec![(-12, 0), (0, -12), (12, 0), (0, 12)],
    };
    Polygon::new(corners, colour.filled())
}

/// Height of a bar with its gap.
const BAR: i32 = 56;
/// Where bars start: names stand before.
const NAMES: i32 = 330;
/// Where bars of 1 end: counts stand behind.
const COUNTS: i32 = 730;

/// A bar with its interval for each row; none where no column holds figures that bars can show.
fn bars(table: &Table) -> Result<Option<Figure>> {
    let known = ["accuracy", "f1", "macro_f1", "percent_agreement"];
    let Some(score) = known.into_iter().find(|name| table.columns.iter().any(|column| column == name)) else {
        return Ok(None);
    };
    let size = ["rows", "gold", "of", "items"].into_iter().find(|name| table.columns.iter().any(|c| c == name));
    let sizes = size.map(|name| column(table, name)).unwrap_or_default();
    let mut rows = Vec::new();
    for (at, ((name, _), cell)) in table.rows.iter().zip(column(table, score)).enumerate() {
        let count = sizes.get(at).map(|cell| cell.shown()).unwrap_or_default();
        rows.push((shortened(&title(name), 24), estimate(cell).unwrap_or_default(), count));
    }
    if rows.len() < 2 {
        return Ok(None);
    }
    let height = rows.len() as i32 * BAR + 100;
    let svg = drawn((880, height.unsigned_abs()), |area| {
        draw_scale(area, height)?;
        for (at, (name, figure, count)) in rows.iter().enumerate() {
            draw_bar(area, at as i32 * BAR + 20, name, figure, count)?;
        }
        Ok(())
    })?;
    let of = capital(&title(&table.of));
    Ok(Some(Figure {
        svg,
        label: format!(
            "{} by {}, as bars; the table beside it holds the figures",
            capital(&title(score)),
            title(&table.of)
        ),
        caption: format!(
            "{} by {}, with intervals; n is the number of {}.",
            capital(&title(score)),
            of.to_lowercase(),
            match size {
                Some("gold") => "gold items",
                Some("of" | "items") => "items",
                _ => "rows",
            }
        ),
    }))
}

fn along(share: f64) -> i32 {
    NAMES + (share.clamp(0.0, 1.0) * f64::from(COUNTS - NAMES)).round() as i32
}

fn text_style(size: i32, horizontal: HPos) -> TextStyle<'static> {
    let font = ("sans-serif", size).into_font().color(&INK);
    font.pos(Pos::new(horizontal, VPos::Center))
}

fn draw_scale(area: &Area, height: i32) -> Result<(), Box<dyn std::error::Error>> {
    for tenth in [0, 2, 4, 6, 8, 10] {
        let x = along(f64::from(tenth) / 10.0);
        area.draw(&PathElement::new(vec![(x, 10), (x, height - 70)], INK.mix(0.14)))?;
        let label = format!("{:.1}", f64::from(tenth) / 10.0);
        area.draw(&Text::new(label, (x, height - 44), text_style(SMALL, HPos::Center)))?;
    }
    Ok(())
}

fn draw_bar(
    area: &Area,
    top: i32,
    name: &str,
    figure: &Estimate,
    count: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let middle = top + BAR / 2 - 6;
    area.draw(&Text::new(name.to_string(), (NAMES - 16, middle), text_style(SMALL, HPos::Right)))?;
    if !count.is_empty() {
        area.draw(&Text::new(format!("n = {count}"), (COUNTS + 16, middle), text_style(SMALL, HPos::Left)))?;
    }
    let Some(value) = figure.value else { return Ok(()) };
    let bar = [(along(0.0), top + 4), (along(value), top + BAR - 16)];
    area.draw(&Rectangle::new(bar, series(0).mix(0.45).filled()))?;
    area.draw(&PathElement::new(vec![(along(value), top), (along(value), top + BAR - 12)], series(0).stroke_width(5)))?;
    if let (Some(low), Some(high)) = (figure.low, figure.high) {
        let ink = INK.stroke_width(3);
        area.draw(&PathElement::new(vec![(along(low), middle), (along(high), middle)], ink))?;
        for end in [low, high] {
            area.draw(&PathElement::new(vec![(along(end), middle - 8), (along(end), middle + 8)], ink))?;
        }
    }
    Ok(())
}

/// The name cut to `width` columns between two characters as a reader sees them.
pub(super) fn shortened(name: &str, width: usize) -> String {
    if name.width() <= width {
        return name.to_string();
    }
    let mut short = String::new();
    for character in name.graphemes(true) {
        if short.width() + character.width() + 1 > width {
            break;
        }
        short.push_str(character);
    }
    short.trim_end().to_string() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_colour_of_a_drawing_is_fixed() {
        let mut table = Table::new("by_source", "source", &["accuracy", "rows"]);
        let figure = Estimate { value: Some(0.7), low: Some(0.6), high: Some(0.8) };
        table.row("<script>", vec![figure.into(), 12usize.into()]);
        table.row("wire", vec![Estimate::default().into(), 3usize.into()]);
        let svg = of_table(&table).unwrap().unwrap().svg;
        assert!(svg.contains("currentColor") && svg.contains("var(--series-1)"));
        assert!(!svg.contains("\"#"), "{svg}");
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script"));
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(shortened("short", 24), "short");
        assert_eq!(shortened("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 5), "👩‍👩‍👧👩‍👩‍👧…");
    }

    #[test]
    fn numbers_of_rows_are_rounded_to_two_digits() {
        assert_eq!([3.2, 97.0, 1234.0, 98_765.0].map(rounded), [3.0, 97.0, 1200.0, 99_000.0]);
    }

    proptest! {
        #[test]
        fn no_curve_is_a_panic(points in prop::collection::vec((-1e6f64..1e9, prop::option::of(-2f64..2.0)), 0..6), name in "\\PC{0,30}") {
            let point = |(x, y): (f64, Option<f64>)| Point { x, y: Estimate { value: y, low: y.map(|y| y - 0.1), high: y } };
            let lines = [(name, points.into_iter().map(point).collect())];
            prop_assert!(of_curve(&Curve::learning("macro_f1", lines)).is_ok());
        }
    }
}
