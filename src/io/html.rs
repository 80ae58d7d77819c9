//! Web pages: the article without menus and advertisements, found by `dom_smoothie`, a port of Firefox's reader view.
//!
//! Offsets then refer to the text that was found, which the record therefore carries.

use crate::error::{Error, Result};
use crate::io::charset;
use crate::io::compression::{Bytes, peek};
use crate::io::read::stream_error;
use crate::io::text::too_long;
use dom_smoothie::{Config, Readability, TextMode};
use encoding_rs::{Encoding, UTF_8};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Elements inside one another, at most: browsers stop at 512, and each costs stack.
const MAX_DEPTH: usize = 512;
/// Where the standard lets a page name its encoding.
const HEAD_BYTES: usize = 1024;

/// What a page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Title of the article, without the site's name.
    pub title: Option<String>,
    /// When it was published, as the page says it.
    pub date: Option<String>,
    /// The article, paragraphs separated by line ends.
    pub text: String,
}

/// The article of a page, and the encoding the page was in.
///
/// # Errors
/// When the page is longer than `max_bytes`, no text, nested beyond measure, or holds no article.
pub fn read(
    mut bytes: Bytes,
    wished: Option<&'static Encoding>,
    max_bytes: usize,
) -> Result<(Page, &'static Encoding)> {
    let raw = peek(&mut bytes, max_bytes.saturating_add(1)).map_err(stream_error)?;
    if raw.len() > max_bytes {
        return Err(too_long(max_bytes));
    }
    let (html, encoding) = charset::decode(&raw, wished.or_else(|| declared(&raw)))?;
    Ok((article(&html)?, encoding))
}

/// The encoding that the page names, unless its bytes tell better.
fn declared(raw: &[u8]) -> Option<&'static Encoding> {
    if Encoding::for_bom(raw).is_some() || std::str::from_utf8(raw).is_ok() {
        return None;
    }
    let head = raw.get(..HEAD_BYTES.min(raw.len())).unwrap_or_default().to_ascii_lowercase();
    let at = head.windows(8).position(|w| w == b"charset=")? + 8;
    let label = head.get(at..)?;
    let label: Vec<u8> = label
        .iter()
        .copied()
        .skip_while(|b| matches!(b, b'"' | b'\'' | b' '))
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        .collect();
    // A page that says UTF-8 and is not is treated like any other text.
    Encoding::for_label(&label).filter(|encoding| *encoding != UTF_8)
}

/// The article of a page.
///
/// ```
/// let story = "<p>“We are ready to talk,” Premier Anna Lind said on Monday in Port Lavel, and envoys met again.</p>";
/// let html = format!("<html><head><title>Talks resume</title></head><body><article>{story}{story}</article></body></html>");
/// let page = detente::io::html::article(&html)?;
/// assert_eq!(page.title.as_deref(), Some("Talks resume"));
/// assert!(page.text.starts_with("“We are ready to talk,”"));
/// # Ok::<(), detente::error::Error>(())
/// ```
///
/// # Errors
/// When it is nested beyond measure or holds no article.
pub fn article(html: &str) -> Result<Page> {
    if depth(html) > MAX_DEPTH {
        return Err(Error::document(format!("the page nests more than {MAX_DEPTH} elements inside one another")));
    }
    let none = |said: String| {
        Error::document(format!("no article is found in the page: {said}")).help("extract the text first")
    };
    let extract = || {
        let config = Config { text_mode: TextMode::Formatted, ..Config::default() };
        Readability::new(html, None, Some(config))?.parse()
    };
    let found = catch_unwind(AssertUnwindSafe(extract)).map_err(|_| none("it is beyond what can be read".into()))?;
    let found = found.map_err(|e| none(e.to_string()))?;
    let filled = |text: String| Some(text.trim().to_string()).filter(|t| !t.is_empty());
    Ok(Page {
        title: filled(found.title),
        date: found.published_time.and_then(filled),
        text: found.text_content.trim().to_string(),
    })
}

/// How deep the page may nest its elements at most: elements that need no end tag are not counted.
fn depth(html: &str) -> usize {
    const NEVER_OPEN: [&str; 22] = [
        "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p",
        "param", "source", "td", "th", "tr", "track", "wbr",
    ];
    let (mut open, mut deepest) = (0usize, 0usize);
    for tag in html.split('<').skip(1) {
        let closing = tag.starts_with('/');
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).take(12).collect();
        if name.is_empty() || NEVER_OPEN.contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        open = if closing { open.saturating_sub(1) } else { open + 1 };
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn page(body: &str) -> String {
        format!(
            "<!DOCTYPE html><html><head><meta charset=\"windows-1252\"><title>Talks resume | The Port Times</title>\
             <meta property=\"article:published_time\" content=\"2031-05-01T08:00:00Z\"></head>\
             <body><nav><a href=/>Home</a> <a href=/world>World</a></nav>{body}<footer>© Port Times</footer></body></html>"
        )
    }

    fn story() -> String {
        let lines = [
            "PORT LAVEL — Envoys of Nordia and Tashvar met again on Monday after a break of seven weeks, and both sides spoke of progress.",
            "“We are ready to talk,” Premier Anna Lind said, “and we will bring the maps that José asked for.”",
            "The other side, which had left the table in March, returned with a list of its own, officials said.",
        ];
        format!("<article><h1>Talks resume</h1>{}</article>", lines.map(|l| format!("<p>{l}</p>")).concat())
    }

    #[test]
    fn the_article_is_found_with_its_paragraphs_and_nothing_else() {
        let found = article(&page(&story())).unwrap();
        assert!(found.text.contains("progress.\n"), "{:?}", found.text);
        assert!(found.text.contains("“We are ready to talk,” Premier Anna Lind said, “and we"), "{:?}", found.text);
        assert!(!found.text.contains("World") && !found.text.contains('©'), "{:?}", found.text);
        assert_eq!(found.date.as_deref(), Some("2031-05-01T08:00:00Z"));
        assert!(found.title.unwrap().starts_with("Talks resume"));
    }

    #[test]
    fn the_declared_encoding_counts_where_the_bytes_are_not_utf8() {
        let html = page(&story());
        let western = encoding_rs::WINDOWS_1252.encode(&html).0.into_owned();
        for bytes in [western, html.clone().into_bytes()] {
            let (found, _) = read(Box::new(Cursor::new(bytes)), None, 1 << 20).unwrap();
            assert!(found.text.contains("José") && found.text.contains('“'), "{:?}", found.text);
        }
    }

    #[test]
    fn broken_pages_are_errors_or_articles_but_no_crash() {
        let deep = "<div>".repeat(200_000);
        assert!(article(&deep).unwrap_err().to_string().contains("nests more than 512"));
        assert!(article("").is_err() && article("<html></html>").is_err());
        let unclosed = page(&story()).replace("</p>", "").replace("</article>", "");
        assert!(article(&unclosed).unwrap().text.contains("Anna Lind"));
        // Elements that end by themselves are not deep.
        let long =
            page(&format!("<article>{}</article>", "<p>Envoys met again, and again they parted.<br>".repeat(3000)));
        assert!(article(&long).is_ok());
    }
}
