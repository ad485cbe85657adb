//! A profile as a flame graph: an SVG without scripts, coloured by subsystem. Main function:
//! [`write`].
//!
//! It is drawn here, because inferno has no legend and colours a function by its name alone: two
//! functions of one name in different subsystems would share a colour.

mod colours;
mod tree;

use std::io;

use sysguard::unstable::report::markup::html as text;

use self::colours::Colours;
use self::tree::{Box, Drawn, Node};
use super::record::ProfileRecord;
use super::words;

/// Where the picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file of its own.
    File,
    /// In a page of HTML.
    Page,
}

/// The width of the picture, in pixels.
const WIDTH: f64 = 1280.0;
/// The space left and right of the boxes.
const MARGIN: f64 = 8.0;
/// The height of a row of boxes, for up to [`FEW_ROWS`] rows and for more.
const ROWS: [f64; 2] = [18.0, 15.0];
/// More rows than this would not fit on a screen or page at their full height.
const FEW_ROWS: usize = 36;
/// The height of the title.
const TITLE: f64 = 44.0;
/// The height of a row of the legend.
const LEGEND_ROW: f64 = 18.0;
/// The widest letters of the font, on average.
const LETTER: f64 = 6.8;
/// Narrower boxes, as a share of the picture, are left out.
const NARROWEST: f64 = 0.001;

/// On paper, the picture fills a page. In a page of HTML, the page decides.
const STYLE: &str = "<style>@page { size: A4 landscape; margin: 8mm; } \
    @media print { svg { width: 100%; height: auto; max-height: 190mm; } }</style>\n";

pub(super) fn write(out: &mut dyn io::Write, record: &ProfileRecord, place: Place) -> io::Result<()> {
    let tree = Node::of(record);
    let boxes = tree.boxes(NARROWEST);
    let colours = Colours::of(&boxes);
    let legend = legend(&colours);
    let rows = boxes.iter().map(|one| one.row + 1).max().unwrap_or(1);
    let legend_rows = legend.iter().map(|entry| entry.row + 1).max().unwrap_or(0);
    let row = if rows <= FEW_ROWS { ROWS[0] } else { ROWS[1] };
    let bottom = TITLE + rows as f64 * row;
    let height = bottom + 10.0 + legend_rows as f64 * LEGEND_ROW + 4.0;
    let (declaration, style) = match place {
        Place::File => ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", STYLE),
        Place::Page => ("", ""),
    };
    let name = words::command(record);
    writeln!(
        out,
        "{declaration}<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flame\" role=\"img\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"'DejaVu Sans', Verdana, sans-serif\" font-size=\"11\">\n\
         <title>Flame graph of {}</title>\n{style}\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>",
        text(&name)
    )?;
    let headline = clipped(&name, WIDTH - 2.0 * MARGIN, LETTER * 1.4);
    writeln!(out, "<text x=\"{MARGIN}\" y=\"19\" font-size=\"15\" font-weight=\"bold\">{}</text>", text(&headline))?;
    writeln!(out, "<text x=\"{MARGIN}\" y=\"36\" fill=\"#444\">{}</text>", text(&subtitle(record)))?;
    boxes.iter().try_for_each(|one| draw(out, one, bottom, row, &colours))?;
    for entry in legend {
        let (x, y) = (MARGIN + entry.left, bottom + 10.0 + entry.row as f64 * LEGEND_ROW);
        writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"12\" height=\"12\" fill=\"{}\" stroke=\"#999\" stroke-width=\"0.5\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            entry.colour,
            x + 17.0,
            y + 10.0,
            text(&words::escaped(entry.name))
        )?;
    }
    writeln!(out, "</svg>")
}

/// Returns the line below the title.
fn subtitle(record: &ProfileRecord) -> String {
    format!(
        "{} samples of CPU time: {} % in user code, {} % in the kernel (Linux {}, {}). \
         Boxes below {} % are left out.",
        record.sampled.samples,
        words::percent(record.user),
        words::percent(record.kernel),
        words::escaped(&record.platform.kernel),
        words::escaped(&record.platform.arch),
        words::percent(NARROWEST)
    )
}

fn draw(out: &mut dyn io::Write, one: &Box<'_>, bottom: f64, row: f64, colours: &Colours<'_>) -> io::Result<()> {
    let inner = WIDTH - 2.0 * MARGIN;
    let (x, width) = (MARGIN + one.left * inner, one.width * inner);
    let y = bottom - (one.row + 1) as f64 * row;
    let (name, place) = match &one.drawn {
        Drawn::All => ("all".to_owned(), None),
        Drawn::Program(name) => (words::escaped(name), None),
        Drawn::Omitted(count) => (format!("({count} functions)"), None),
        Drawn::Function(function) => {
            let source = function.source.as_deref();
            let place = match &function.subsystem {
                Some(subsystem) => Some(format!("{subsystem}, {}", source.unwrap_or_default())),
                None => source.or(function.module.as_deref()).map(str::to_owned),
            };
            (words::escaped(&function.label()), place)
        }
    };
    let place = place.map_or_else(String::new, |place| format!(" ({})", words::escaped(&place)));
    let title = format!("{name}{place}: {} samples, {} %", one.samples, words::percent(one.width));
    // A gap between boxes, unless the box would vanish.
    let drawn = if width > 2.0 { width - 0.6 } else { width };
    write!(
        out,
        "<g><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{drawn:.1}\" height=\"{:.1}\" {}/>",
        text(&title),
        row - 1.0,
        colours.paint(&one.drawn)
    )?;
    let label = clipped(&name, width - 5.0, LETTER);
    if !label.is_empty() {
        write!(out, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 2.5, y + row / 2.0 + 3.5, text(&label))?;
    }
    writeln!(out, "</g>")
}

/// Returns as much of a name as fits into a width; nothing if too little fits.
fn clipped(name: &str, width: f64, letter: f64) -> String {
    let letters = (width / letter).max(0.0) as usize;
    if name.chars().count() <= letters {
        return name.to_owned();
    }
    if letters < 4 {
        return String::new();
    }
    name.chars().take(letters - 1).chain(['…']).collect()
}

/// A subsystem in the legend.
struct LegendEntry<'a> {
    name: &'a str,
    colour: &'static str,
    left: f64,
    row: usize,
}

/// Places the subsystems of the legend in rows.
fn legend<'a>(colours: &Colours<'a>) -> Vec<LegendEntry<'a>> {
    let (mut left, mut row) = (0.0, 0);
    let place = |&(name, colour): &(&'a str, &'static str)| {
        let width = 17.0 + name.chars().count() as f64 * LETTER + 18.0;
        if left + width > WIDTH - 2.0 * MARGIN && left > 0.0 {
            (left, row) = (0.0, row + 1);
        }
        let entry = LegendEntry { name, colour, left, row };
        left += width;
        entry
    };
    colours.legend.iter().map(place).collect()
}
