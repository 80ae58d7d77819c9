//! One small text a phenomenon: which quotes are found, whose they are, and what is no quote.
//!
//! A row is a text and, a line a quote, `kind | parts joined by " / " | cue | speaker`; the speaker is
//! `mention -> name (role, country) evidence`, or why there is none.

use detente::document::{Evidence, NoSpeaker, Quote, QuoteFlag};
use detente::quotes;

fn describe(text: &str, quote: &Quote) -> String {
    let parts: Vec<&str> = quote.parts.iter().map(|p| p.of(text)).collect();
    let cue = quote.cue.map_or("-", |c| c.of(text));
    let speaker = match &quote.speaker {
        Ok(s) => format!(
            "{} -> {} ({}, {}) {}",
            s.mention.map_or("-", |m| m.of(text)),
            s.name,
            s.role.as_deref().unwrap_or("-"),
            s.country.as_deref().unwrap_or("-"),
            match s.evidence {
                Evidence::Exact => "exact",
                Evidence::ShortName => "short name",
                Evidence::Title => "title",
                Evidence::Pronoun => "pronoun",
                Evidence::CarriedOver => "carried over",
                Evidence::Metonym => "metonym",
            }
        ),
        Err(NoSpeaker::NoAttribution) => "no attribution".into(),
        Err(NoSpeaker::Unnamed) => "unnamed".into(),
        Err(NoSpeaker::UnresolvedPronoun) => "unresolved pronoun".into(),
    };
    let unclosed = if quote.flags.contains(&QuoteFlag::Unclosed) { " unclosed" } else { "" };
    format!("{:?}{unclosed} | {} | {cue} | {speaker}", quote.kind, parts.join(" / "))
        .replacen("Direct", "direct", 1)
        .replacen("Mixed", "mixed", 1)
}

/// Checks all rows and reports every failing one.
fn check(rows: &[(&str, &str)]) {
    let mut failed = Vec::new();
    for (text, expected) in rows {
        let found: Vec<String> = quotes::find(text).iter().map(|q| describe(text, q)).collect();
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        if found != expected {
            failed.push(format!("{text}\n  expected {expected:#?}\n  found    {found:#?}"));
        }
    }
    assert!(failed.is_empty(), "{} of {} rows fail:\n{}", failed.len(), rows.len(), failed.join("\n\n"));
}

#[test]
fn a_short_end_after_the_attribution_belongs_to_the_quote() {
    check(&[(
        "“We agree,” said Mira Osk, “but later.”",
        "direct | We agree, / but later. | said | Mira Osk -> Mira Osk (-, -) exact",
    )]);
}

#[test]
fn every_kind_of_mark() {
    check(&[
        (
            "\"We will sign the paper,\" Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "“We will sign the paper,” Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "'We will sign the paper,' Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "‘We’ll sign the ministers’ paper,’ Anna Lind said.",
            "direct | We’ll sign the ministers’ paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "«We will sign the paper», Anna Lind said.",
            "direct | We will sign the paper | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "»We will sign the paper«, Anna Lind said.",
            "direct | We will sign the paper | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "„We will sign the paper“, Anna Lind said.",
            "direct | We will sign the paper | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "„We will sign the paper,” Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "''We will sign the paper,'' Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "``We will sign the paper,'' Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "“We will sign the paper,\" Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "\"We will sign the paper,” Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "”We will sign the paper,“ Anna Lind said.",
            "direct | We will sign the paper, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "\" We will sign the paper , \" Anna Lind said .",
            "direct | We will sign the paper , | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
    ]);
}

#[test]
fn nested_marks_stay_inside() {
    check(&[
        (
            "\"He told me 'go away' and left,\" Anna Lind said.",
            "direct | He told me 'go away' and left, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "‘He told me “go away” and left,’ Anna Lind said.",
            "direct | He told me “go away” and left, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "\"He told me \"go away\" and left,\" Anna Lind said.",
            "direct | He told me \"go away\" and left, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "“They said: ‘No.’” Anna Lind said.",
            "direct | They said: ‘No.’ | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "«He told me “go away” and left», Anna Lind said.",
            "direct | He told me “go away” and left | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
    ]);
}

#[test]
fn a_quote_split_by_its_attribution_is_one() {
    check(&[
        (
            "\"We will sign,\" Anna Lind said, \"if they do.\"",
            "direct | We will sign, / if they do. | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "“The border,” said Premier Anna Lind, “will open. We keep our word.”",
            "direct | The border, / will open. We keep our word. | said | Premier Anna Lind -> Anna Lind (Premier, -) exact",
        ),
        (
            "\"This,\" she told reporters in Karsk on Monday, \"is not the end,\"",
            "direct | This, / is not the end, | told | unresolved pronoun",
        ),
        (
            "\"We will sign,\" Anna Lind said. \"We keep our word.\"",
            "direct | We will sign, / We keep our word. | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "\"We will sign,\" Anna Lind said. She left. \"We keep our word.\"",
            "direct | We will sign, | said | Anna Lind -> Anna Lind (-, -) exact
             direct | We keep our word. | - | - -> Anna Lind (-, -) carried over",
        ),
        (
            "\"We will sign,\" Anna Lind said, adding: \"We keep our word.\"",
            "direct | We will sign, | said | Anna Lind -> Anna Lind (-, -) exact
             direct | We keep our word. | adding | Anna Lind -> Anna Lind (-, -) exact",
        ),
    ]);
}

#[test]
fn a_quote_over_paragraphs_has_one_part_in_each() {
    check(&[
        (
            "“We have waited long.\n\n“We have waited in the cold.\n\n“Now we sign,” Anna Lind said.",
            "direct | We have waited long. / We have waited in the cold. / Now we sign, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "Anna Lind said: \"We have waited long.\n\"Now we sign.\"\nNobody objected.",
            "direct | We have waited long. / Now we sign. | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "\"We have waited long.\nNow we sign,\" Anna Lind said.",
            "direct | We have waited long. / Now we sign, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "‘We have waited long.\n\n‘Now we sign,’ Anna Lind said.",
            "direct | We have waited long. / Now we sign, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
    ]);
}

#[test]
fn a_mark_never_closed_spoils_only_its_own_quote() {
    check(&[
        (
            "“We will sign, Anna Lind said.\n\nThe talks ended.\n\n“We are glad,” Ivo Berg said.",
            "direct unclosed | We will sign, | said | Anna Lind -> Anna Lind (-, -) exact
             direct | We are glad, | said | Ivo Berg -> Ivo Berg (-, -) exact",
        ),
        (
            "\"We will sign, Anna Lind said. \"We are glad,\" Ivo Berg said.",
            "direct unclosed | We will sign, | said | Anna Lind -> Anna Lind (-, -) exact
             direct | We are glad, | said | Ivo Berg -> Ivo Berg (-, -) exact",
        ),
        (
            "Anna Lind said: \"We will sign the paper tomorrow.\n\nThe talks ended.",
            "direct unclosed | We will sign the paper tomorrow. | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        ("The talks ended.\" Nobody signed.", ""),
    ]);
}

#[test]
fn what_only_looks_like_a_mark() {
    check(&[
        ("The ministers' view and the envoy's didn't differ in the '90s, the boys' mother said.", ""),
        ("He is 6'2\" tall and the pipe is 5\" wide, Anna Lind said.", ""),
        (
            "\"He is 6'2\" tall,\" Anna Lind said.",
            "direct | He is 6'2\" tall, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        (
            "\"The pipe is 5\" wide,\" Anna Lind said.",
            "direct | The pipe is 5\" wide, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
        ("Rock 'n' roll was big in ’68, 'twas said, and the class of '72 liked it.", ""),
        (
            "'The ministers' view has changed,' Anna Lind said.",
            "direct | The ministers' view has changed, | said | Anna Lind -> Anna Lind (-, -) exact",
        ),
    ]);
}

#[test]
fn titles_nicknames_and_scare_quotes_are_no_quotes() {
    check(&[
        ("John \"Jack\" Smith left the party.", ""),
        ("Smith, known as \"the Fox\", left the party.", ""),
        ("She wrote the book \"A Winter in Karsk\" and the song 'Snow'.", ""),
        ("The so-called \"peace plan\" has failed, and the 'experts' went home.", ""),
        ("The weekly \"Morning Star\" reported losses.", ""),
        ("Anna Lind said the \"reform\" had failed.", ""),
        (
            "John \"Jack\" Smith, a farmer, said: \"We are leaving.\"",
            "direct | We are leaving. | said | John \"Jack\" Smith -> John \"Jack\" Smith (farmer, -) exact",
        ),
        (
            "\"Jack\" Smith said: \"We are leaving the party.\"",
            "direct | We are leaving the party. | said | Smith -> Smith (-, -) exact",
        ),
    ]);
}

#[test]
fn where_the_attribution_stands() {
    check(&[
        ("\"We will sign,\" said Lind.", "direct | We will sign, | said | Lind -> Lind (-, -) exact"),
        (
            "\"We will sign,\" said Lind, who leads the delegation.",
            "direct | We will sign, | said | Lind -> Lind (-, -) exact",
        ),
        ("Lind said, \"We will sign.\"", "direct | We will sign. | said | Lind -> Lind (-, -) exact"),
        (
            "Lind told reporters in Karsk on Monday: \"We will sign.\"",
            "direct | We will sign. | told | Lind -> Lind (-, -) exact",
        ),
        (
            "Lind stated that \"we will sign at dawn.\"",
            "mixed | we will sign at dawn. | stated | Lind -> Lind (-, -) exact",
        ),
        (
            "Lind was quoted as saying: \"We will sign.\"",
            "direct | We will sign. | was quoted as saying | Lind -> Lind (-, -) exact",
        ),
        (
            "Lind was quoted by the Karsk Post as saying \"we will sign today\".",
            "direct | we will sign today | was quoted by the Karsk Post as saying | Lind -> Lind (-, -) exact",
        ),
        (
            "\"We will sign,\" Lind was quoted as saying.",
            "direct | We will sign, | was quoted as saying | Lind -> Lind (-, -) exact",
        ),
        ("\"We will sign,\" according to Lind.", "direct | We will sign, | according to | Lind -> Lind (-, -) exact"),
        (
            "According to Lind, \"the two sides will sign at dawn.\"",
            "direct | the two sides will sign at dawn. | According to | Lind -> Lind (-, -) exact",
        ),
        ("Lind: \"We will sign at dawn.\"", "direct | We will sign at dawn. | - | Lind -> Lind (-, -) exact"),
        ("Kremlin: \"We will sign at dawn\"", "direct | We will sign at dawn | - | Kremlin -> Kremlin (-, RU) metonym"),
        ("\"We will sign at dawn\" — Lind", "direct | We will sign at dawn | - | Lind -> Lind (-, -) exact"),
        ("“Will we sign at dawn?” Lind asked.", "direct | Will we sign at dawn? | asked | Lind -> Lind (-, -) exact"),
        ("“Never!” shouted Lind.", "direct | Never! | shouted | Lind -> Lind (-, -) exact"),
        ("\"We will sign,\" it was said.", "direct | We will sign, | was said | unnamed"),
        ("\"We will sign,\" said in a statement.", "direct | We will sign, | said | unnamed"),
        ("Nobody spoke. \"We will sign at dawn.\"", "direct | We will sign at dawn. | - | no attribution"),
        (
            "\"We will sign,\" the minister pointed out.",
            "direct | We will sign, | pointed out | the minister -> minister (minister, -) title",
        ),
        (
            "\"We have,\" as Lind put it, \"no choice.\"",
            "direct | We have, / no choice. | put it | Lind -> Lind (-, -) exact",
        ),
        (
            "Peace is \"a matter of weeks\" for both sides, Lind said on Monday.",
            "mixed | a matter of weeks | said | Lind -> Lind (-, -) exact",
        ),
        ("Lind called it \"a grave mistake\".", "mixed | a grave mistake | called | Lind -> Lind (-, -) exact"),
        (
            "Lind described the deal as \"a grave mistake\" and \"a gift to them\".",
            "mixed | a grave mistake / a gift to them | described | Lind -> Lind (-, -) exact",
        ),
    ]);
}

#[test]
fn who_the_speaker_is() {
    check(&[
        (
            "\"It hurts,\" Hugh Hill, a doctor, said.",
            "direct | It hurts, | said | Hugh Hill -> Hugh Hill (doctor, -) exact",
        ),
        (
            "\"It hurts,\" said Hugh Hill, a doctor in Karsk.",
            "direct | It hurts, | said | Hugh Hill -> Hugh Hill (doctor, -) exact",
        ),
        (
            "Hugh Hill, a doctor, said: \"It hurts.\"",
            "direct | It hurts. | said | Hugh Hill -> Hugh Hill (doctor, -) exact",
        ),
        (
            "\"It hurts,\" the foreign minister, Ivo Berg, said.",
            "direct | It hurts, | said | the foreign minister, Ivo Berg -> Ivo Berg (foreign minister, -) exact",
        ),
        (
            "Japanese Prime Minister Ken Mori arrived. \"We will talk,\" the Japanese leader said. \"We are ready,\" Mori added.",
            "direct | We will talk, | said | the Japanese leader -> Ken Mori (Japanese Prime Minister, JP) title
             direct | We are ready, | added | Mori -> Ken Mori (Japanese Prime Minister, JP) short name",
        ),
        (
            "President Anna Lind met Ivo Berg, a farmer. \"It rained,\" he said. \"It did,\" she said. \"We will help,\" the president concluded.",
            "direct | It rained, | said | he -> Ivo Berg (farmer, -) pronoun
             direct | It did, | said | she -> Anna Lind (President, -) pronoun
             direct | We will help, | concluded | the president -> Anna Lind (President, -) title",
        ),
        (
            "\"We are ready,\" Lind said, but \"nothing is agreed,\" Berg warned.",
            "direct | We are ready, | said | Lind -> Lind (-, -) exact
             direct | nothing is agreed, | warned | Berg -> Berg (-, -) exact",
        ),
        (
            "Tokyo said: \"We will not yield.\" The White House replied: \"We understand.\"",
            "direct | We will not yield. | said | Tokyo -> Tokyo (-, JP) metonym
             direct | We understand. | replied | The White House -> White House (-, US) metonym",
        ),
        (
            "\"They fired first,\" a spokesman for the Foreign Ministry said.",
            "direct | They fired first, | said | a spokesman for the Foreign Ministry -> spokesman for the Foreign Ministry (spokesman for the Foreign Ministry, -) title",
        ),
        ("\"They fired first,\" he said.", "direct | They fired first, | said | unresolved pronoun"),
        (
            "Lind spoke first. Peace was near, Lind stressed. \"We are talking about trust.\"",
            "direct | We are talking about trust. | - | - -> Lind (-, -) carried over",
        ),
        (
            "\"We will sign,\" Anna Lind said.\n\n\"There is no other way.\"",
            "direct | We will sign, | said | Anna Lind -> Anna Lind (-, -) exact
             direct | There is no other way. | - | - -> Anna Lind (-, -) carried over",
        ),
    ]);
}

#[test]
fn insertions_in_brackets_stay_inside() {
    check(&[(
        "\"However, [this project] is slow,\" Lind said.",
        "direct | However, [this project] is slow, | said | Lind -> Lind (-, -) exact",
    )]);
}

#[test]
fn labels_of_a_transcript_name_the_speakers() {
    check(&[(
        "Meeting in Karsk\n\nPremier of Nordia Anna Lind: Good afternoon to you.\n\nLet us \"begin\" now.\n\nIvo Berg: We are ready.\n\nQuestion: Is there a date?",
        "direct | Good afternoon to you. | - | Premier of Nordia Anna Lind -> Anna Lind (Premier of Nordia, -) exact
         direct | Let us \"begin\" now. | - | - -> Anna Lind (Premier of Nordia, -) carried over
         direct | We are ready. | - | Ivo Berg -> Ivo Berg (-, -) exact
         direct | Is there a date? | - | unnamed",
    )]);
}

#[test]
fn an_attribution_in_the_paragraph_before_or_after() {
    check(&[
        (
            "Lind told the paper:\n\n\"We will sign at dawn.\"",
            "direct | We will sign at dawn. | told | Lind -> Lind (-, -) exact",
        ),
        (
            "\"We will sign at dawn,\"\n\nsaid Lind in Karsk.",
            "direct | We will sign at dawn, | said | Lind -> Lind (-, -) exact",
        ),
        ("Lind was blunt. \"We will not sign.\"", "direct | We will not sign. | - | - -> Lind (-, -) carried over"),
    ]);
}

#[test]
fn the_outermost_report_owns_the_fragment() {
    check(&[
        (
            "Lind said Berg once called the deal \"a gift to thieves\".",
            "mixed | a gift to thieves | said | Lind -> Lind (-, -) exact",
        ),
        (
            "Lind said she thinks it is \"a gift to thieves\".",
            "mixed | a gift to thieves | said | Lind -> Lind (-, -) exact",
        ),
        ("On the network's \"Morning Hour,\" Lind said the deal was close.", ""),
    ]);
}
