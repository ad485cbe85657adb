//! The plot: one group a workload, one bar an engine, on a logarithmic scale, as SVG without any library.

use std::fmt::Write;

use crate::Row;
use crate::engines::Engine;

const LEFT: f64 = 190.0;
const WIDTH: f64 = 520.0;
const BAR: f64 = 9.0;
const GAP: f64 = 10.0;
const TOP: f64 = 54.0;
/// Readable on white and on black, and told apart by those who see few colours.
const COLOURS: [&str; 6] = ["#009e73", "#0072b2", "#e69f00", "#d55e00", "#cc79a7", "#7f7f7f"];

/// The rows as a picture.
pub(crate) fn svg(rows: &[Row], engines: &[Engine]) -> String {
    let group = BAR * engines.len() as f64 + GAP;
    let height = TOP + group * rows.len() as f64 + 24.0;
    let most =
        rows.iter().flat_map(|row| &row.cells).filter_map(|(_, cell)| cell.map(|cell| cell.high)).fold(10.0, f64::max);
    let scale = |ratio: f64| LEFT + WIDTH * ratio.max(1.0).log10() / most.log10();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#7f7f7f\">\n",
        LEFT + WIDTH + 60.0
    );
    for (at, engine) in engines.iter().enumerate() {
        let x = LEFT + 90.0 * at as f64;
        let colour = COLOURS[at % COLOURS.len()];
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"8\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"17\">{}</text>",
            x + 14.0,
            engine.name()
        );
    }
    for power in 0..=most.log10().floor() as i32 {
        let ratio = 10_f64.powi(power);
        let x = scale(ratio);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#7f7f7f\" stroke-opacity=\"0.3\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{ratio}×</text>",
            TOP - 6.0,
            height - 18.0,
            TOP - 12.0
        );
    }
    for (at, row) in rows.iter().enumerate() {
        let top = TOP + group * at as f64;
        let middle = top + (group - GAP) / 2.0 + 4.0;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            row.workload
        );
        for (at, (_, cell)) in row.cells.iter().enumerate() {
            let Some(cell) = cell else { continue };
            let y = top + BAR * at as f64;
            let (end, colour) = (scale(cell.median), COLOURS[at % COLOURS.len()]);
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"8\">{:.2}</text>",
                (end - LEFT).max(1.0),
                BAR - 1.0,
                end + 3.0,
                y + BAR - 2.0,
                cell.median
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
