use super::*;

fn columns() -> HashMap<String, usize> {
    let names = ["name", "user", "full name"].into_iter().map(str::to_owned);
    names.zip(0..).collect()
}

#[test]
fn a_text_is_cut_at_its_columns() {
    use Piece::{Column, Text};
    for (text, expected) in [
        ("", vec![]),
        ("plain", vec![Text("plain")]),
        ("{name}", vec![Column(0)]),
        (
            "a{name}b{user}",
            vec![Text("a"), Column(0), Text("b"), Column(1)],
        ),
        ("{full name}{name}", vec![Column(2), Column(0)]),
        ("{{name}}", vec![Text("{"), Text("name}")]),
        (
            "${{HOME}}/{name}",
            vec![Text("${"), Text("HOME}"), Text("/"), Column(0)],
        ),
        ("{{{name}}}", vec![Text("{"), Column(0), Text("}")]),
    ] {
        assert_eq!(pieces(text, &columns()), Ok(expected), "{text}");
    }
}

#[test]
fn braces_that_hold_no_column_are_mistakes() {
    for text in ["{", "}", "a}b", "{name", "{{name}", "{name}}"] {
        assert_eq!(pieces(text, &columns()), Err(Problem::Brace), "{text}");
    }
    for (text, column) in [
        ("{nam}", "nam"),
        ("{Name}", "Name"),
        ("{ name }", " name "),
        ("{}", ""),
        ("{{{x}}}", "x"),
        ("awk {print}", "print"),
    ] {
        let problem = Problem::NoColumn {
            name: column.to_owned(),
            known: vec!["name".to_owned(), "user".to_owned(), "full name".to_owned()],
        };
        assert_eq!(pieces(text, &columns()), Err(problem), "{text}");
    }
}

#[test]
fn no_octet_of_a_value_has_a_meaning_in_a_url() {
    let mut encoded = String::new();
    percent_encode("a-b_c.~/?#[]@:% ö\"", &mut encoded);
    assert_eq!(encoded, "a-b_c.~%2F%3F%23%5B%5D%40%3A%25%20%C3%B6%22");
}
