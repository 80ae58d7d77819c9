//! Which field of a row is the text, the id, the date, the title.

use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// Names tried where the user names none, best first.
const TEXT: &[&str] = &["text", "body", "content"];
const ID: &[&str] = &["id", "url"];
const SOURCE: &[&str] = &["url", "source"];
const DATE: &[&str] = &["date", "published"];
const TITLE: &[&str] = &["title", "headline"];

/// Field names the user gave; none means that the usual ones are tried, whatever their case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldNames {
    /// Else `text`, `body` or `content`.
    pub text: Option<String>,
    /// Else `id` or `url`.
    pub id: Option<String>,
    /// Else `date` or `published`.
    pub date: Option<String>,
    /// Else `title` or `headline`.
    pub title: Option<String>,
}

/// One row of a file: a document in the making, whose id may be missing or taken and whose text may be none.
#[derive(Debug)]
pub struct Row {
    /// The line on which it begins, where that is not its number.
    pub line: Option<u64>,
    /// The row's own id.
    pub id: Option<String>,
    /// The row's own address.
    pub source: Option<String>,
    /// Title field.
    pub title: Option<String>,
    /// Date field.
    pub date: Option<String>,
    /// The article, or why there is none.
    pub text: Result<String>,
    /// Whether the article was taken out of a page.
    pub extracted: bool,
}

impl Row {
    /// A row of which nothing is known but its text, or why there is none.
    pub fn bare(text: Result<String>) -> Self {
        Row { line: None, id: None, source: None, title: None, date: None, text, extracted: false }
    }
}

/// The positions of a table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The text's column.
    pub text: usize,
    /// The id's.
    pub id: Option<usize>,
    /// The address's.
    pub source: Option<usize>,
    /// The date's.
    pub date: Option<usize>,
    /// The title's.
    pub title: Option<usize>,
}

impl FieldNames {
    /// Takes a document out of a JSON object.
    pub fn row(&self, mut object: Map<String, Value>) -> Row {
        let keys: Vec<String> = object.keys().cloned().collect();
        let find = |wished: &Option<String>, usual: &[&str]| {
            position(&keys, wished.as_deref(), usual).and_then(|i| keys.get(i)).cloned()
        };
        let plain = |key: Option<String>| key.and_then(|k| object.get(&k)).and_then(plain_value);
        let row = Row {
            id: plain(find(&self.id, ID)),
            source: plain(find(&None, SOURCE)),
            title: plain(find(&self.title, TITLE)),
            date: plain(find(&self.date, DATE)),
            ..Row::bare(Ok(String::new()))
        };
        let text = match find(&self.text, TEXT) {
            Some(key) => text_value(&key, object.get_mut(&key).map(Value::take).unwrap_or_default()),
            None => Err(self.no_text("field", &keys)),
        };
        Row { text, ..row }
    }

    /// The columns of a table with this header.
    ///
    /// # Errors
    /// When it has no column for the text, or not one that the user named.
    pub fn columns(&self, header: &[String]) -> Result<Columns> {
        for (wished, option) in [(&self.id, "--id-field"), (&self.date, "--date-field"), (&self.title, "--title-field")]
        {
            if let Some(name) = wished.as_deref().filter(|name| position(header, Some(name), &[]).is_none()) {
                return Err(Error::document(format!("no column `{name}`; the header has {}", listed(header)))
                    .help(format!("mend {option}")));
            }
        }
        Ok(Columns {
            text: position(header, self.text.as_deref(), TEXT).ok_or_else(|| self.no_text("column", header))?,
            id: position(header, self.id.as_deref(), ID),
            source: position(header, None, SOURCE),
            date: position(header, self.date.as_deref(), DATE),
            title: position(header, self.title.as_deref(), TITLE),
        })
    }

    fn no_text(&self, what: &str, names: &[String]) -> Error {
        let looked = match &self.text {
            Some(name) => format!("no {what} `{name}`"),
            None => format!("no {what} `text`, `body` or `content`"),
        };
        Error::document(format!("{looked}; there is {}", listed(names))).help("name the right one with --text-field")
    }
}

/// Where the wished name stands, or the first of the usual ones.
fn position(names: &[String], wished: Option<&str>, usual: &[&str]) -> Option<usize> {
    match wished {
        Some(name) => names.iter().position(|n| n == name),
        None => usual.iter().find_map(|usual| names.iter().position(|n| n.trim().eq_ignore_ascii_case(usual))),
    }
}

fn text_value(key: &str, value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(Error::document(format!("field `{key}` is {}, not text", kind_name(&other)))
            .help("name the right field with --text-field")),
    }
}

/// A string or number as a string; nothing else is an id, a date or a title.
fn plain_value(value: &Value) -> Option<String> {
    match value {
        Value::String(s) if !s.trim().is_empty() => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// How messages call the kind of a JSON value.
pub fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The first names, in backticks.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none at all".into();
    }
    let shown: Vec<String> = names.iter().take(8).map(|n| format!("`{}`", super::text::shortened(n, 40))).collect();
    let more = if names.len() > 8 { format!(" and {} more", names.len() - 8) } else { String::new() };
    shown.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_usual_names_are_found_in_any_case() {
        let json = r#"{"URL": "https://x.example/1", "Headline": "Talks", "published": 2031, "body": "Peace."}"#;
        let row = FieldNames::default().row(object(json));
        assert_eq!(row.id.as_deref(), Some("https://x.example/1"));
        assert_eq!(row.source.as_deref(), Some("https://x.example/1"));
        assert_eq!(row.title.as_deref(), Some("Talks"));
        assert_eq!(row.date.as_deref(), Some("2031"));
        assert_eq!(row.text.unwrap(), "Peace.");
    }

    #[test]
    fn what_is_missing_is_told_with_what_is_there() {
        let row = FieldNames::default().row(object(r#"{"id": 1, "story": "Peace."}"#));
        let expected =
            "no field `text`, `body` or `content`; there is `id`, `story` (name the right one with --text-field)";
        assert_eq!((row.id.as_deref(), row.text.unwrap_err().to_string().as_str()), (Some("1"), expected));
        let error = FieldNames::default().row(object(r#"{"text": ["Peace."]}"#)).text.unwrap_err();
        assert_eq!(error.without_help(), "field `text` is a list, not text");
    }

    #[test]
    fn a_column_the_user_names_must_be_there() {
        let names = FieldNames { date: Some("day".into()), ..Default::default() };
        let error = names.columns(&["text".into(), "date".into()]).unwrap_err();
        assert_eq!(error.to_string(), "no column `day`; the header has `text`, `date` (mend --date-field)");
    }
}
