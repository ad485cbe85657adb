//! The colours of a flame graph: one for each subsystem. Main type: [`Colours`].

use std::collections::BTreeMap;

use super::tree::{Box, Drawn};

/// The colours of subsystems that most profiles show, so that pictures can be compared.
const FIXED: [(&str, &str); 30] = [
    ("network", "#e8743b"),
    ("unix", "#f2a65a"),
    ("filesystem", "#5b8def"),
    ("block", "#9db8f2"),
    ("memory", "#59a14f"),
    ("slab", "#9ccc65"),
    ("scheduler", "#b07aa1"),
    ("process", "#2fb3a8"),
    ("signal", "#7fd1c7"),
    ("futex", "#ff9da7"),
    ("poll", "#edc948"),
    ("time", "#c2a5cf"),
    ("locking", "#a47551"),
    ("rcu", "#c9a27e"),
    ("security", "#e15759"),
    ("device", "#86bcb6"),
    ("interrupts", "#d37295"),
    ("entry", "#b9b4ae"),
    ("arch", "#c9c4be"),
    ("library", "#d4c9a8"),
    ("usercopy", "#7aa6c2"),
    ("cgroup", "#a3b899"),
    ("perf", "#c9a0dc"),
    ("workqueue", "#e0b0a0"),
    ("dma", "#80cbc4"),
    ("credentials", "#f4b6b6"),
    ("namespace", "#b7d7e8"),
    ("crypto", "#f08fb0"),
    ("core", "#c0c0d8"),
    ("tracing", "#d9b3d9"),
];

/// The colours of other subsystems, which get them in the order of their time.
const OTHERS: [&str; 10] =
    ["#7aa6c2", "#c2b280", "#8fbc8f", "#d8a7b1", "#a3a3d1", "#bcd35f", "#e0b0a0", "#80cbc4", "#b39ddb", "#ffcc80"];

const PROGRAM: &str = "#dcdcdc";
const USER: &str = "#ececec";
const UNKNOWN: &str = "#ffffff";

/// Names of groups other than subsystems.
const USER_CODE: &str = "user code";
const UNKNOWN_CODE: &str = "kernel, place unknown";

/// The colour of each group of boxes, with the groups that a picture shows.
#[derive(Debug)]
pub(super) struct Colours<'a> {
    of: BTreeMap<&'a str, &'static str>,
    /// The legend: groups with their colours, those with the most area first.
    pub(super) legend: Vec<(&'a str, &'static str)>,
}

impl<'a> Colours<'a> {
    /// Chooses colours for the boxes of a picture.
    pub(super) fn of(boxes: &[Box<'a>]) -> Self {
        let mut areas: BTreeMap<&str, f64> = BTreeMap::new();
        for one in boxes {
            *areas.entry(group(&one.drawn)).or_default() += one.width;
        }
        let mut groups: Vec<(&str, f64)> = areas.into_iter().collect();
        groups.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let (mut of, mut others) = (BTreeMap::new(), OTHERS.iter().cycle());
        for (group, _) in &groups {
            let fixed = FIXED.iter().find(|(name, _)| name == group).map(|(_, colour)| *colour);
            let colour = match *group {
                USER_CODE => USER,
                UNKNOWN_CODE => UNKNOWN,
                _ => fixed.or_else(|| others.next().copied()).unwrap_or(UNKNOWN),
            };
            of.insert(*group, colour);
        }
        let legend = groups.iter().map(|(group, _)| (*group, of[group])).collect();
        Self { of, legend }
    }

    /// Returns the attributes that paint a box. A white one needs an outline.
    pub(super) fn paint(&self, drawn: &Drawn<'_>) -> String {
        match drawn {
            Drawn::All | Drawn::Program(_) => format!("fill=\"{PROGRAM}\""),
            _ => match self.of.get(group(drawn)).copied().unwrap_or(UNKNOWN) {
                UNKNOWN => format!("fill=\"{UNKNOWN}\" stroke=\"#999\" stroke-width=\"0.5\""),
                colour => format!("fill=\"{colour}\""),
            },
        }
    }
}

/// Returns the group of a box: a subsystem, or user code.
fn group<'a>(drawn: &Drawn<'a>) -> &'a str {
    match drawn {
        Drawn::Function(function) if function.kernel => function.subsystem.as_deref().unwrap_or(UNKNOWN_CODE),
        _ => USER_CODE,
    }
}
