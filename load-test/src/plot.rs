//! Rate and latency over time, as a picture.

use std::path::Path;

use anyhow::Context;
use plotters::prelude::*;

use crate::measures::Second;

const SIZE: (u32, u32) = (900, 600);
const RATE: RGBColor = RGBColor(196, 58, 29);
const P50: RGBColor = RGBColor(40, 110, 180);
const P99: RGBColor = RGBColor(120, 120, 120);

type Curve = Vec<(f64, f64)>;

/// Draws each second of the load into this file.
pub(crate) fn draw(file: &Path, course: &[Second]) -> anyhow::Result<()> {
    let curve =
        |value: fn(&Second) -> f64| -> Curve { (1..).map(f64::from).zip(course.iter().map(value)).collect() };
    let rates = [("recorded", RATE, curve(|second| second.recorded as f64))];
    let latencies =
        [("p50", P50, curve(|second| second.p50_ms)), ("p99", P99, curve(|second| second.p99_ms))];
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (above, below) = area.split_vertically(SIZE.1 / 2);
    chart(&above, "Recorded votes per second", &rates)?;
    chart(&below, "Latency of a vote, in milliseconds", &latencies)?;
    area.present().with_context(|| format!("cannot write {} (--plot)", file.display()))
}

fn chart(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    caption: &str,
    curves: &[(&str, RGBColor, Curve)],
) -> anyhow::Result<()> {
    let points = || curves.iter().flat_map(|(_, _, curve)| curve);
    let right = points().map(|(x, _)| *x).fold(2.0, f64::max);
    let top = points().map(|(_, y)| *y).fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area);
    chart.caption(caption, ("sans-serif", 16)).margin(12).x_label_area_size(28).y_label_area_size(64);
    let mut chart = chart.build_cartesian_2d(1.0..right, 0.0..top)?;
    let whole = |number: &f64| number.to_string();
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).x_desc("seconds").x_label_formatter(&whole).y_label_formatter(&whole);
    mesh.draw()?;
    for (name, color, curve) in curves {
        let style = color.stroke_width(2);
        let drawn = chart.draw_series(LineSeries::new(curve.iter().copied(), style))?;
        drawn.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw()?;
    Ok(())
}
