use super::*;

fn snippet(text: &str, part: &str, hide_rest: bool) -> String {
    let start = text.find(part).unwrap();
    let span = start..start + part.len();
    let location = Location::new(Path::new("config.toml"), text, &span, hide_rest);
    format!(
        "{}:{}\n{}",
        location.line,
        location.column,
        location.snippet()
    )
}

#[test]
fn the_place_is_marked() {
    insta::assert_snapshot!(snippet("[a]\n\tgröße = 12 # x\n", "12", false), @r"
        2:10
          |
        2 |  größe = 12 # x
          |          ^^
        ");
}

#[test]
fn secrets_are_left_out() {
    for line in [
        "password = \"hunter2\"",
        "password = hunter2",
        "pop3-pass='hunter2'",
        "work = { PASSWORD = \"hunter2\", x = 1 }",
        "server = \"pop3s://anna:hunter2@mail\"",
        "server = \"pop3s://anna@example.com:hunter2@mail\"",
    ] {
        let start = line.find("hunter2").unwrap();
        let location = Location::new(Path::new("c"), line, &(start..line.len()), false);
        assert!(!location.snippet().contains("hunter2"), "{line}");
    }
    assert!(!snippet("pwd = \"hunter2\"", "pwd", true).contains("hunter2"));
}

#[test]
fn any_place_can_be_shown() {
    for text in ["", "\n", "a\r\nb", "ä\nö"] {
        for start in 0..=text.len() + 1 {
            for end in start..=text.len() + 2 {
                for hide in [false, true] {
                    let _ = Location::new(Path::new("c"), text, &(start..end), hide).snippet();
                }
            }
        }
    }
}

#[test]
fn a_long_line_is_cut() {
    let line = format!("{}!{}", "x".repeat(1_000), "y".repeat(1_000));
    let snippet = snippet(&line, "!", false);
    assert!(snippet.len() < 500 && snippet.contains('!'), "{snippet}");
}
