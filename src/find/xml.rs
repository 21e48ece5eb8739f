//! A small part of XML, enough for two small formats: elements, attributes, text.
//!
//! The input is from an untrusted server. So there is no document type, no entity except the five
//! of XML itself, and a limit for depth and number of elements.

/// The maximum depth of elements.
const DEEPEST: usize = 32;

/// The maximum number of elements.
const MAX_ELEMENTS: usize = 4096;

/// An element, without namespaces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    /// Its own text, without that of its children.
    text: String,
    children: Vec<Self>,
}

impl Element {
    /// The root element of a document. None if the parts read are not well-formed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut open: Vec<Self> = Vec::new();
        let mut count = 0;
        let mut rest = text.trim_start_matches('\u{feff}');
        loop {
            let (before, from) = match rest.find('<') {
                Some(at) => rest.split_at(at),
                None => return None,
            };
            match open.last_mut() {
                Some(element) => element.text.push_str(&unescaped(before)?),
                None if before.trim().is_empty() => {}
                None => return None,
            }
            if let Some(after) = from.strip_prefix("<!--") {
                rest = after.split_once("-->")?.1;
            } else if let Some(after) = from.strip_prefix("<![CDATA[") {
                let (verbatim, after) = after.split_once("]]>")?;
                open.last_mut()?.text.push_str(verbatim);
                rest = after;
            } else if let Some(after) = from.strip_prefix("<?") {
                rest = after.split_once("?>")?.1;
            } else if let Some(after) = from.strip_prefix("</") {
                let (name, after) = after.split_once('>')?;
                let element = open.pop()?;
                if element.name != local(name.trim()) {
                    return None;
                }
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Some(element),
                }
                rest = after;
            } else {
                let (element, empty, after) = opened(from.strip_prefix('<')?)?;
                count += 1;
                if open.len() >= DEEPEST || count > MAX_ELEMENTS {
                    return None;
                }
                match (empty, open.last_mut()) {
                    (false, _) => open.push(element),
                    (true, Some(parent)) => parent.children.push(element),
                    (true, None) => return Some(element),
                }
                rest = after;
            }
        }
    }

    /// The children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of this name.
    pub(super) fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.first(name).map(|child| child.text.trim())
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads an element's start tag after the `<`. Returns the element, true if it is empty, and the
/// text after the tag.
fn opened(text: &str) -> Option<(Element, bool, &str)> {
    let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
    let (name, mut rest) = text.split_at(end);
    // No name: for example `<!DOCTYPE`.
    if name.is_empty() || !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let mut element = Element {
        name: local(name).to_owned(),
        ..Element::default()
    };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return Some((element, true, after));
        }
        if let Some(after) = rest.strip_prefix('>') {
            return Some((element, false, after));
        }
        let (key, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| "\"'".contains(*c))?;
        let (value, after) = value[1..].split_once(quote)?;
        if value.contains('<') || element.attributes.len() >= DEEPEST {
            return None;
        }
        let key = local(key.trim()).to_owned();
        element.attributes.push((key, unescaped(value)?));
        rest = after;
    }
}

/// A name without its namespace.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';')?;
        plain.push(match entity {
            "amp" => '&',
            "apos" => '\'',
            "gt" => '>',
            "lt" => '<',
            "quot" => '"',
            _ => {
                let number = entity.strip_prefix('#')?;
                let number = match number.strip_prefix('x') {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                char::from_u32(number.ok()?)?
            }
        });
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}

/// Escapes text for an element.
pub(super) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_text_are_read() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<!-- <x> -->\n<a:b xmlns:a='u' k = \"&lt;&#65;\">\
                    t&amp;<c/><![CDATA[<&]]><d>  x </d></a:b>\n";
        let root = Element::parse(text).unwrap();
        assert_eq!((root.name.as_str(), root.attribute("k")), ("b", Some("<A")));
        assert_eq!(root.text, "t&<&");
        assert_eq!(root.text_of("d"), Some("x"));
        assert_eq!(root.all("c").count(), 1);
        let text = "a & <b>";
        let root = Element::parse(&format!("<x>{}</x>", escaped(text))).unwrap();
        assert_eq!(root.text, text);
    }

    #[test]
    fn what_is_not_well_formed_or_too_much_is_nothing() {
        for text in [
            "",
            "text",
            "<a>",
            "</a>",
            "<a></b>",
            "<a",
            "<a b>",
            "<a b=c/>",
            "<a b='c",
            "<a>&x;</a>",
            "<a>&amp</a>",
            "<a>&#xD800;</a>",
            "<>x</>",
            "<a><!-- </a>",
            "<a b='<'/>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "x<a/>",
        ] {
            assert_eq!(Element::parse(text), None, "{text}");
        }
        assert_eq!(Element::parse(&"<a>".repeat(100_000)), None);
        let wide = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert_eq!(Element::parse(&wide), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "([<>/a='\"&;#!-]|\\PC)*") {
            let _ = Element::parse(&text);
        }
    }
}
