//! Curves, as pictures beside the tables.

use plotters::prelude::*;

const SIZE: (u32, u32) = (800, 360);

/// Told apart also by who sees no colours, as they go from dark to light.
const COLORS: [RGBColor; 3] = [RGBColor(30, 60, 120), RGBColor(196, 58, 29), RGBColor(150, 150, 150)];

pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Draws curves over a logarithmic axis.
pub fn draw(name: &str, caption: &str, x: &str, curves: &[Curve]) {
    let file = file(name);
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let from = points().map(|(x, _)| *x).fold(f64::MAX, f64::min);
    let to = points().map(|(x, _)| *x).fold(from * 2.0, f64::max);
    let top = points().map(|(_, y)| *y).fold(0.0, f64::max) * 1.1;
    let area = SVGBackend::new(&file, SIZE).into_drawing_area();
    area.fill(&WHITE).unwrap();
    let mut chart = ChartBuilder::on(&area)
        .caption(caption, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(64)
        .build_cartesian_2d((from..to).log_scale(), 0.0..top)
        .unwrap();
    let whole = |number: &f64| number.to_string();
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).x_desc(x).x_label_formatter(&whole).y_label_formatter(&whole);
    mesh.draw().unwrap();
    for (curve, color) in curves.iter().zip(COLORS) {
        let line = LineSeries::new(curve.points.iter().copied(), color.stroke_width(2)).point_size(3);
        let drawn = chart.draw_series(line).unwrap().label(&curve.name);
        drawn.legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw().unwrap();
    area.present().unwrap_or_else(|error| panic!("cannot draw {file}: {error}"));
}

/// Where a picture belongs, whatever folder a program runs in.
pub fn file(name: &str) -> String {
    format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))
}
