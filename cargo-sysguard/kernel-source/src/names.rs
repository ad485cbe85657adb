//! The names that C text declares, in order: macros, enumerators, and the labels of a switch. Main
//! function: [`declared`].
//!
//! It must not evaluate them; `compiler` does.

/// Returns the names of object-like macros and of enumerators.
pub fn declared(text: &str) -> Vec<String> {
    let text = without_comments(text);
    let mut names = Vec::new();
    let mut in_enum = false;
    for line in text.lines() {
        in_enum |= line.contains("enum") && (line.contains('{') || !line.trim_end().ends_with(';'));
        if let Some(name) = macro_name(line) {
            push(&mut names, name);
        } else if in_enum {
            line.split([',', '{', '}']).filter_map(enumerator).for_each(|name| push(&mut names, name));
            in_enum = !line.contains('}');
        }
    }
    names
}

/// Returns the labels of the outermost `switch` in a function: `case NAME:` after one tab.
pub fn cases(text: &str, function: &str) -> Vec<String> {
    let text = without_comments(text);
    let mut names = Vec::new();
    for (at, _) in text.match_indices(function) {
        let Some(body) = body(&text[at + function.len()..]) else { continue };
        let labels = body.lines().filter_map(|line| line.strip_prefix("\tcase ")?.split([':', ' ']).next());
        labels.filter(|label| is_name(label)).for_each(|label| push(&mut names, label));
    }
    names
}

/// Returns the body of a function definition, given the text after its name, or `None` for a call
/// or a declaration.
fn body(after_name: &str) -> Option<&str> {
    let start = after_name.find("\n{\n")?;
    let head = &after_name[..start];
    let defines = after_name.starts_with(['(', ',']) && head.ends_with(')') && !head.contains([';', '{']);
    let body = &after_name[start..];
    defines.then(|| body.find("\n}\n").map_or(body, |end| &body[..end]))
}

fn macro_name(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("define")?;
    let name = rest.trim_start().split([' ', '\t']).next()?;
    let has_value = rest.trim_start().len() > name.len();
    (has_value && is_name(name)).then_some(name)
}

fn enumerator(part: &str) -> Option<&str> {
    let name = part.split('=').next()?.trim();
    is_name(name).then_some(name)
}

fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_uppercase() || first == '_');
    starts && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn push(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// Returns the text with each comment replaced by a space, and continued lines joined.
pub fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("/*") {
        kept += &rest[..at];
        kept.push(' ');
        rest = rest[at..].find("*/").map_or("", |end| &rest[at + end + 2..]);
    }
    (kept + rest).replace("\\\n", " ")
}

/// Returns lines such as `#define AF_UNIX 1` and `SOCK_STREAM = 1,` as macros without includes.
pub fn plain_lines(text: &str, prefixes: &[&str]) -> String {
    let mut plain = String::new();
    for line in without_comments(text).lines() {
        let line = line.trim();
        let (name, value) = match line.strip_prefix("#define") {
            Some(rest) => rest.trim().split_once([' ', '\t']).unwrap_or_default(),
            None => line.trim_end_matches(',').split_once('=').unwrap_or_default(),
        };
        if prefixes.iter().any(|prefix| name.trim().starts_with(prefix)) {
            plain += &format!("#define {} {}\n", name.trim(), value.trim());
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_and_enumerators_are_declared() {
        let text = "#ifndef _X_H\n#define _X_H\n#define A_ONE 1 /* #define A_NOT 9 */\n# define A_LONG \\\n 2\n#define A_CALL(x) x\n\
                    enum a_kind { A_TWO = 2, A_THREE };\nenum {\n\tA_FOUR, /* x */\n\tA_FIVE = A_ONE,\n};\nint A_SIX;\n";
        assert_eq!(declared(text), ["A_ONE", "A_LONG", "A_TWO", "A_THREE", "A_FOUR", "A_FIVE"]);
    }

    #[test]
    fn only_cases_of_the_outermost_switch_count() {
        let text = "int f(int a)\n{\n\tswitch (a) {\n\tcase A_ONE:\n\tcase A_TWO: {\n\t\tswitch (b) {\n\t\tcase B_ONE:\n\t\t}\n\t}\n\tcase 7:\n\t}\n}\n\
                    int g(int a)\n{\n\tswitch (f(a)) {\n\tcase C_ONE:\n\t}\n}\n";
        assert_eq!(cases(text, "f"), ["A_ONE", "A_TWO"]);
        assert_eq!(cases(text, "h"), [""; 0]);
    }

    #[test]
    fn plain_lines_need_no_header() {
        let text = "#include <x.h>\n#define AF_UNIX\t\t1\t/* local */\nenum { AF_X = 2,\n\tAF_Y = 3,\n};\nint a;\n";
        assert_eq!(plain_lines(text, &["AF_"]), "#define AF_UNIX 1\n#define AF_Y 3\n");
    }
}
