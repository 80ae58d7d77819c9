//! A report as a page, for a pull request and for a paper: golden files, hostile words, and what a reader needs.

use detente::evaluate::resample::Estimate;
use detente::report::{Cell, Curve, Point, Report, Section, Table, WrongAnswer};
use detente::stance::occlusion::{Influence, Part};
use std::process::Command;

fn figure(value: f64) -> Cell {
    Estimate { value: Some(value), low: Some(value - 0.05), high: Some(value + 0.05) }.into()
}

fn section(name: &str, about: &str, tables: Vec<Table>) -> Section {
    Section { name: name.into(), about: about.into(), tables }
}

/// A small report with everything a page can show.
fn report() -> Report {
    let mut scores = Table::new("scores", "score", &["model", "majority"]);
    scores.row("macro_f1", vec![figure(0.7), Estimate::point(0.2).into()]);
    scores.row("cohen_kappa", vec![figure(0.55), Estimate::default().into()]);
    let mut confusion = Table::new("confusion", "gold", &["predicted conciliatory", "predicted firm"]);
    confusion.row("conciliatory", vec![30usize.into(), 10usize.into()]);
    confusion.row("firm", vec![5usize.into(), 0usize.into()]);
    let mut calibration = Table::new("calibration", "probability", &["mean_probability", "accuracy", "rows"]);
    calibration.row("0.5 to 0.6", vec![Estimate::point(0.55).into(), Estimate::point(0.5).into(), 10usize.into()]);
    calibration.row("0.9 to 1.0", vec![Estimate::point(0.95).into(), Estimate::point(0.9).into(), 35usize.into()]);
    let mut coverage = Table::new("coverage", "most certain", &["model", "majority"]);
    coverage.row("100 % of rows", vec![figure(0.7), figure(0.4)]);
    coverage.row("50 % of rows", vec![figure(0.9), figure(0.4)]);
    let mut speakers = Table::new("by_speaker", "speaker", &["accuracy", "rows", "note"]);
    speakers.row("Mira Osk", vec![figure(0.8), 40usize.into()]);
    speakers.row("Karin Stroe", vec![figure(0.6), 5usize.into(), "few rows".into()]);
    let mut report = Report::new("stance");
    report.verdict = "Stance on 45 rows of 9 documents: macro F1 0.700 [0.650, 0.750].".into();
    report.state("intervals", "95 % percentile bootstrap, 1000 resamples of 9 documents");
    report.notes.push("1 group by speaker holds fewer than 30 rows: its figures say little".into());
    report.sections.push(section("two_way", "all rows, n = 45", vec![scores, confusion]));
    report.sections.push(section("probabilities", "n = 45", vec![calibration, coverage]));
    report.sections.push(section("breakdowns", "by speaker", vec![speakers]));
    let points = |values: [(f64, f64); 3]| values.map(|(x, y)| Point { x, y: Estimate::point(y) }).to_vec();
    report
        .curves
        .push(Curve::learning("macro_f1", [("model".into(), points([(50.0, 0.4), (200.0, 0.6), (800.0, 0.7)]))]));
    report.wrong_answers.push(wrong_answer());
    report.lists.insert("gold without prediction".into(), vec!["row_7".into()]);
    report
}

fn wrong_answer() -> WrongAnswer {
    let word = |part, word: &str, change| Influence { part, word: word.into(), change: Some(change) };
    WrongAnswer {
        id: "nordia-12".into(),
        document: "nordia".into(),
        speaker: Some("Mira Osk".into()),
        gold: "firm".into(),
        predicted: "conciliatory".into(),
        probabilities: [("conciliatory".to_string(), 0.81), ("firm".to_string(), 0.19)].into_iter().collect(),
        left: "The minister said:".into(),
        quote: "We will talk when they leave.".into(),
        words: vec![
            word(Part::Left, "The", 0.0),
            word(Part::Left, "minister", -0.02),
            word(Part::Left, "said:", 0.001),
            word(Part::Quote, "We", 0.0),
            word(Part::Quote, "will", 0.03),
            word(Part::Quote, "talk", 0.42),
            word(Part::Quote, "when", -0.04),
            word(Part::Quote, "they", 0.0),
            word(Part::Quote, "leave.", -0.3),
        ],
        ..WrongAnswer::default()
    }
}

/// What an attacker, or only an unusual name, may bring.
const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "a & b < c > d ' e \" f",
    "لن نتراجع \u{202e}abc",
    "👩‍👩‍👧 🕊 Жук 和平",
    "\\input{/etc/passwd} $x^2$ %#_{}~",
    "]]></style><svg/onload=alert(1)> \u{0}\u{7}| @everyone",
];

/// A report in which every word that a user can choose is hostile.
fn hostile() -> Report {
    let mut report = Report::new(HOSTILE[0]);
    report.verdict = HOSTILE.join(" ");
    let long = "x".repeat(5000);
    for word in HOSTILE.into_iter().chain([long.as_str()]) {
        report.state(word, word);
        report.notes.push(word.into());
        let mut table = Table::new(&format!("by_{word}"), word, &["accuracy", "rows", word]);
        table.row(word, vec![figure(0.5), 3usize.into(), word.into()]);
        table.row("other", vec![figure(0.5), 3usize.into(), Cell::Empty]);
        let mut confusion = Table::new(&format!("confusion of {word}"), word, &[word]);
        confusion.row(word, vec![3usize.into()]);
        report.sections.push(section(word, word, vec![table, confusion]));
        let points = vec![Point { x: 1.0, y: Estimate::point(0.5) }, Point { x: 2.0, y: Estimate::point(0.6) }];
        report.curves.push(Curve {
            name: word.into(),
            about: word.into(),
            ..Curve::learning(word, [(word.into(), points)])
        });
        let influence = Influence { part: Part::Quote, word: word.into(), change: Some(0.5) };
        report.wrong_answers.push(WrongAnswer {
            id: word.into(),
            document: word.into(),
            source: Some(word.into()),
            speaker: Some(word.into()),
            gold: word.into(),
            predicted: format!("not {word}"),
            left: word.into(),
            quote: word.into(),
            right: word.into(),
            words: vec![influence],
            ..WrongAnswer::default()
        });
        report.lists.insert(word.into(), vec![word.into()]);
    }
    report
}

#[test]
fn golden_page() {
    insta::assert_snapshot!(report().html().unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn golden_markdown() {
    insta::assert_snapshot!(report().markdown());
}

#[test]
fn golden_tables_for_a_paper() {
    insta::assert_snapshot!(report().latex());
}

/// The tags of a page in their order, with their attributes.
fn tags(page: &str) -> Vec<&str> {
    let body = page.split_once("</style>").unwrap().1;
    body.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0).collect()
}

/// Tags that a page has.
const TAGS: &str = "a article b bdi body caption circle code dd details div dl dt figcaption figure footer h1 h2 h3 head header \
    html li line main mark nav p polygon polyline rect section span summary svg table tbody td text th thead tr ul";

/// Attributes that they have.
const ATTRIBUTES: &str = "aria-label aria-labelledby class cx cy dir dy fill font-family font-size height href id opacity open \
    points r role scope stroke stroke-width style tabindex text-anchor transform viewBox width x x1 x2 xmlns y y1 y2";

/// The names of a tag's attributes: what stands between the values.
fn attributes(tag: &str) -> Vec<&str> {
    let between = tag.split('"').step_by(2).flat_map(|names| names.split([' ', '\n', '/', '=']));
    between.skip(1).filter(|name| !name.is_empty()).collect()
}

#[test]
fn no_word_of_the_user_becomes_markup() {
    let page = hostile().html().unwrap();
    for tag in tags(&page) {
        let name: String = tag.trim_start_matches('/').chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        assert!(TAGS.split_whitespace().any(|known| known == name), "<{tag}>");
        if !tag.starts_with('/') {
            let stray =
                attributes(tag).into_iter().find(|name| !ATTRIBUTES.split_whitespace().any(|known| known == *name));
            assert_eq!(stray, None, "<{tag}>");
        }
    }
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
}

#[test]
fn a_page_needs_nothing_from_elsewhere() {
    for page in [report().html().unwrap(), hostile().html().unwrap()] {
        assert!(page.contains("default-src 'none'"));
        for outside in ["src=\"", "@import", "url(", "<link", "<script", "<iframe"] {
            let place = page.find(outside).map(|at| page[at..].chars().take(80).collect::<String>());
            assert_eq!(place, None, "{outside}");
        }
        let links = tags(&page).into_iter().filter(|tag| tag.contains("href=")).count();
        assert_eq!(links, tags(&page).into_iter().filter(|tag| tag.contains("href=\"#")).count());
    }
}

#[test]
fn a_page_tells_its_language_its_parts_and_what_its_figures_show() {
    let page = report().html().unwrap();
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert!(page.contains("<title>Evaluation of stance</title>"));
    let tags = tags(&page);
    let count = |start: &str| tags.iter().filter(|tag| tag.split(' ').next() == Some(start)).count();
    assert_eq!((count("h1"), count("main"), count("nav")), (1, 1, 1));
    assert_eq!(count("table"), count("caption"));
    assert!(tags.iter().filter(|tag| tag.starts_with("th ") || **tag == "th").all(|tag| tag.contains("scope=")));
    let figures = tags.iter().filter(|tag| tag.starts_with("div role=\"img\" aria-label=\"")).count();
    assert_eq!((count("svg"), figures), (4, 4));
    assert_eq!(count("figure"), count("figcaption"));
    let verdict = page.find("class=\"verdict\"").unwrap();
    assert!(page.find("<table").is_some_and(|table| verdict < table), "the verdict comes first");
}

#[test]
fn the_words_that_drove_an_answer_are_marked_by_sign_and_size() {
    let page = report().html().unwrap();
    assert!(page.contains("<mark class=\"for strong\">talk</mark>"));
    assert!(page.contains("<mark class=\"against strong\">leave.</mark>"));
    assert!(page.contains("<bdi>talk</bdi> +0.42") && page.contains("<bdi>leave.</bdi> −0.30"));
    assert!(!page.contains(">will</mark>"), "less than a fifth of the heaviest word is not marked");
}

#[test]
fn a_list_on_a_page_of_a_pull_request_calls_nobody() {
    let text = hostile().markdown();
    assert!(!text.contains("@everyone") && !text.contains("<script"));
    let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count() - 1;
    let rows: Vec<usize> = text.lines().filter(|line| line.starts_with("| ")).map(cells).collect();
    assert!(rows.iter().all(|cells| [2, 4].contains(cells)), "{rows:?}");
}

#[test]
fn the_tables_compile() {
    if Command::new("pdflatex").arg("--version").output().is_err() {
        println!("skipped: there is no pdflatex here");
        return;
    }
    for (name, report) in [("plain", report()), ("hostile", hostile())] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tables.tex"), report.latex()).unwrap();
        let paper = "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}\\begin{document}\n\
                     \\input{tables.tex}\n\\end{document}\n";
        std::fs::write(folder.path().join("paper.tex"), paper).unwrap();
        let ran = Command::new("pdflatex")
            .args(["-interaction=nonstopmode", "-halt-on-error", "paper.tex"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{name}: {}", said.lines().rev().take(30).collect::<Vec<_>>().join("\n"));
        assert!(!said.contains("Missing character"), "{name}");
        assert!(folder.path().join("paper.pdf").is_file());
    }
}
