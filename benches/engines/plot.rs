//! The plot: a row per workload, a dot per engine, on a logarithmic scale, as SVG written by hand.
//!
//! A dot is a median, the line through it spans the quartiles. Filled dots are sysguard's engines,
//! hollow dots are other tools.

use std::fmt::Write;

use crate::Row;
use crate::engines::Engine;
use crate::measure::Cell;

const LEFT: f64 = 168.0;
const WIDTH: f64 = 560.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 84.0;
/// The distance between the dots of one row, and around them.
const LANE: f64 = 8.0;
const PADDING: f64 = 7.0;

/// Returns a colour that is distinct with colour blindness, on white and on black.
fn colour(engine: Engine) -> &'static str {
    match engine {
        Engine::Native | Engine::Filter | Engine::Births => "#7f7f7f",
        Engine::Guard => "#009e73",
        Engine::Ptrace => "#0072b2",
        Engine::Notify => "#e69f00",
        Engine::Strace => "#d55e00",
        Engine::StracePinned => "#999933",
        Engine::StraceBpf => "#cc79a7",
        Engine::PerfTrace => "#7f7f7f",
    }
}

fn is_own(engine: Engine) -> bool {
    matches!(engine, Engine::Guard | Engine::Ptrace | Engine::Notify)
}

/// Maps ratios to positions.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// Returns a scale between powers of ten or their halves that holds every dot.
    fn of(rows: &[Row]) -> Self {
        let cells = rows.iter().flat_map(|row| &row.cells).filter_map(|(_, cell)| *cell);
        let (least, most) =
            cells.fold((1.0, 2.0), |(least, most): (f64, f64), cell| (least.min(cell.low), most.max(cell.high)));
        Self { least: least.max(0.1) / 1.1, most: most * 1.15 }
    }

    fn place(&self, ratio: f64) -> f64 {
        LEFT + WIDTH * (ratio / self.least).log10() / (self.most / self.least).log10()
    }

    fn ticks(&self) -> impl Iterator<Item = (f64, bool)> {
        let steps = [1.0, 2.0, 5.0];
        let all = (-1..4).flat_map(move |power| steps.map(|step| (step * 10_f64.powi(power), step == 1.0)));
        all.filter(|(ratio, _)| (self.least..=self.most).contains(ratio))
    }
}

/// Returns the rows as SVG.
pub(crate) fn svg(rows: &[Row], engines: &[Engine]) -> String {
    let scale = Scale::of(rows);
    let row_height = LANE * (engines.len() as f64 - 1.0) + 2.0 * PADDING;
    let bottom = TOP + row_height * rows.len() as f64;
    let (width, height) = (LEFT + WIDTH + RIGHT, bottom + 20.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <style>text{{fill:#1f2328}}.soft{{fill:#6e7781}}.grid{{stroke:#8c959f;stroke-opacity:.25}}.one{{stroke:#57606a}}.band{{fill:#8c959f;fill-opacity:.08}}.hole{{fill:#fff}}\n\
         @media (prefers-color-scheme:dark){{text{{fill:#e6edf3}}.soft{{fill:#8d96a0}}.one{{stroke:#8d96a0}}.hole{{fill:#0d1117}}}}</style>\n\
         <text x=\"{LEFT}\" y=\"18\" font-weight=\"bold\">Time under each engine, as a multiple of the native time</text>\n"
    );
    legend(&mut svg, engines);
    for (at, row) in rows.iter().enumerate() {
        let top = TOP + row_height * at as f64;
        if at % 2 == 0 {
            let _ = writeln!(
                svg,
                "<rect class=\"band\" x=\"0\" y=\"{top:.1}\" width=\"{width:.0}\" height=\"{row_height:.1}\"/>"
            );
        }
        let middle = top + row_height / 2.0 + 4.0;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 14.0,
            row.workload
        );
    }
    grid(&mut svg, &scale, bottom);
    for (at, row) in rows.iter().enumerate() {
        let top = TOP + row_height * at as f64 + PADDING;
        for (lane, (engine, cell)) in row.cells.iter().enumerate() {
            if let Some(cell) = cell {
                mark(&mut svg, *engine, cell, &scale, top + LANE * lane as f64);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String, engines: &[Engine]) {
    let mut x = LEFT + 4.0;
    for engine in engines {
        dot(svg, *engine, x, 38.0);
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"42\">{}</text>", x + 9.0, engine.command());
        x += 28.0 + 6.6 * engine.command().len() as f64;
    }
}

fn grid(svg: &mut String, scale: &Scale, bottom: f64) {
    for (ratio, is_power) in scale.ticks() {
        let x = scale.place(ratio);
        let class = if ratio == 1.0 { "one" } else { "grid" };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>",
            TOP - 6.0
        );
        if is_power || scale.most / scale.least < 200.0 {
            let _ = writeln!(
                svg,
                "<text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{ratio}×</text>",
                TOP - 12.0
            );
        }
    }
}

fn mark(svg: &mut String, engine: Engine, cell: &Cell, scale: &Scale, y: f64) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{}\" stroke-width=\"2\" stroke-opacity=\".55\"/>",
        scale.place(cell.low),
        scale.place(cell.high),
        colour(engine)
    );
    dot(svg, engine, scale.place(cell.median), y);
}

fn dot(svg: &mut String, engine: Engine, x: f64, y: f64) {
    let colour = colour(engine);
    let _ = if is_own(engine) {
        writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>")
    } else {
        writeln!(
            svg,
            "<circle class=\"hole\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.2\" stroke=\"{colour}\" stroke-width=\"1.8\"/>"
        )
    };
}
