//! Words that keep their full stop, and what that says about the end of a sentence.

/// What a full stop after a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// A title or the like: a name or number follows, the sentence goes on.
    Inside,
    /// An abbreviation that may also end the sentence ("Inc.", "U.S.", "Oct.").
    Either,
}

/// Titles and connectives: something always follows them.
const INSIDE: &[&str] = &[
    "Adm", "Amb", "Atty", "Brig", "Capt", "Cdr", "Cllr", "Cmdr", "Col", "Comdr", "Cpl", "Dr", "Dra", "Drs", "Eng",
    "Fr", "Ft", "Gen", "Gov", "Hon", "Insp", "Lt", "Maj", "Messrs", "Mgr", "Mlle", "Mme", "Mr", "Mrs", "Ms", "Msgr",
    "Mt", "Mx", "Pfc", "Pres", "Prof", "Pte", "Pvt", "Rep", "Reps", "Rev", "Sec", "Sen", "Sens", "Sgt", "Sra", "Srta",
    "St", "Ste", "Supt", "approx", "ca", "cf", "e.g", "fig", "i.e", "viz", "vs",
];

/// Abbreviations that stand inside a sentence or at its end.
const EITHER: &[&str] = &[
    "Ala", "Apr", "Ariz", "Ark", "Assn", "Aug", "Ave", "Bhd", "Blvd", "Bros", "Calif", "Cie", "Co", "Colo", "Conn",
    "Corp", "Ctr", "Dec", "Del", "Dept", "Dist", "Div", "Est", "Feb", "Fla", "Fri", "Ga", "Gmbh", "Govt", "Ill", "Inc",
    "Ind", "Inst", "Intl", "Jan", "Jr", "Jul", "Jun", "Kan", "Ky", "La", "Ltd", "Mar", "Mass", "Md", "Mfg", "Mich",
    "Minn", "Miss", "Mo", "Mon", "Mont", "Natl", "Neb", "Nev", "Nov", "Oct", "Okla", "Ont", "Ore", "Pa", "Plc", "Pty",
    "Pvt", "Que", "Rd", "Sep", "Sept", "Sr", "Tenn", "Tex", "Thu", "Thur", "Thurs", "Tue", "Tues", "Univ", "Va", "Vol",
    "Vt", "Wash", "Wed", "Wis", "Wyo", "al", "cu", "dept", "est", "etc", "ft", "govt", "hrs", "km", "lb", "lbs", "max",
    "mg", "min", "mins", "mph", "oz", "pct", "sq", "vol", "yrs",
];

/// What the full stop after `word` (given without it) means, or none when it only ends the sentence.
pub(super) fn stop_after(word: &str) -> Option<Stop> {
    if INSIDE.binary_search(&word).is_ok() {
        return Some(Stop::Inside);
    }
    if EITHER.binary_search(&word).is_ok() {
        return Some(Stop::Either);
    }
    if is_initial(word) {
        return Some(Stop::Inside);
    }
    is_dotted(word).then_some(Stop::Either)
}

/// One capital letter: the "J." of "J. Smith"; "I." is a pronoun at the end of its sentence.
fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    matches!((letters.next(), letters.next()), (Some(c), None) if c.is_uppercase() && c != 'I')
}

/// Letters with full stops between them, at most three at a time ("U.S", "a.m", "Ph.D").
fn is_dotted(word: &str) -> bool {
    word.contains('.')
        && word.split('.').all(|run| (1..=3).contains(&run.chars().count()) && run.chars().all(char::is_alphabetic))
        && word.split('.').any(|run| run.chars().count() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_the_search() {
        assert!(INSIDE.is_sorted() && EITHER.is_sorted());
    }

    #[test]
    fn only_abbreviations_keep_their_stop() {
        for (word, expected) in [
            ("Gen", Some(Stop::Inside)),
            ("J", Some(Stop::Inside)),
            ("U.S", Some(Stop::Either)),
            ("Ph.D", Some(Stop::Either)),
            ("Oct", Some(Stop::Either)),
            ("I", None),
            ("talks", None),
            ("2.5", None),
            ("example.com", None),
        ] {
            assert_eq!(stop_after(word), expected, "{word}");
        }
    }
}
