//! Words of saying: the lexicon of cues and their forms.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The grammatical form of a cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// "said"
    Past,
    /// "says"
    Third,
    /// "say"
    Base,
    /// "saying"
    Participle,
}

/// A word of saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cue {
    /// Its dictionary form.
    pub lemma: &'static str,
    /// The form that stands here.
    pub form: Form,
    /// Whether it is a word of saying wherever it stands ("said"), not only beside a quote ("continued").
    pub plain: bool,
}

/// Verbs that report speech or thought wherever they stand.
const PLAIN: &str = "say tell add note stress explain state argue claim insist warn declare announce conclude reply \
    respond remark observe mention emphasize emphasise underline underscore reiterate assert affirm allege admit \
    acknowledge concede confirm deny complain lament exclaim quip tweet retweet write ask believe think predict \
    recall recount reveal report suggest urge vow pledge promise caution clarify comment contend maintain opine \
    proclaim profess testify swear boast joke whisper shout yell scream mutter murmur retort counter demand inquire \
    enquire wonder reassure assure inform advise hint imply infer concur disagree pronounce preach protest plead \
    muse ponder gush fume rant snap sneer blurt bemoan decry denounce apologize apologise elaborate posit surmise \
    reckon speculate estimate forecast summarize summarise interject persist echo recommend propose question \
    answer confess hope fear expect decide vent rejoin stipulate enthuse";

/// Verbs that are cues only where a quote stands beside them.
const BESIDE: &str = "continue call describe offer read go put agree repeat begin start finish point cite quote dub \
    label brand term chant sing cry laugh smile sigh grin nod shrug joke tease thunder roar bark growl groan sob \
    stammer croak chuckle drawl volunteer post text email release issue publish speak talk discuss accuse blame \
    criticize criticise condemn slam blast praise thank welcome congratulate commend hail tout defend refuse reject \
    rule threaten challenge mock ridicule scold berate lash encourage instruct order command direct request invite \
    beg appeal press pray teach explode interrupt chime intone invoke convey express voice share reflect compare \
    characterize characterise portray depict highlight outline detail indicate signal show learn hear discover find \
    conjecture realize realise understand feel know sense see regard view consider treat deem attribute refer \
    address conclude dismiss deride rail retweet attack vilify reason guess \
    figure admonish chide rebuke lecture plan intend aim seek want wish dream worry consider contest dispute \
    insinuate attest relay broadcast greet salute toast herald cheer celebrate \
    mourn regret marvel joke boast brag gloat crow bellow wail moan grumble mumble ramble jest gripe grouse";

/// Past forms that no rule makes.
const IRREGULAR: &[(&str, &str)] = &[
    ("say", "said"),
    ("tell", "told"),
    ("write", "wrote"),
    ("write", "written"),
    ("think", "thought"),
    ("swear", "swore"),
    ("swear", "sworn"),
    ("plead", "pled"),
    ("read", "read"),
    ("go", "went"),
    ("put", "put"),
    ("begin", "began"),
    ("sing", "sang"),
    ("speak", "spoke"),
    ("speak", "spoken"),
    ("teach", "taught"),
    ("forecast", "forecast"),
    ("hear", "heard"),
    ("find", "found"),
    ("understand", "understood"),
    ("feel", "felt"),
    ("know", "knew"),
    ("see", "saw"),
    ("seek", "sought"),
    ("dream", "dreamt"),
    ("broadcast", "broadcast"),
    ("ring", "rang"),
    ("learn", "learnt"),
    ("show", "shown"),
];

/// Words that complete a cue: "pointed out", "went on", "put it".
const PARTICLES: &[(&str, &[&str])] = &[
    ("point", &["out"]),
    ("go", &["on"]),
    ("put", &["it"]),
    ("cry", &["out"]),
    ("call", &["out", "for", "on"]),
    ("fire", &["back"]),
    ("shout", &["out"]),
    ("write", &["back"]),
    ("lash", &["out"]),
    ("rule", &["out"]),
    ("sing", &["out"]),
    ("chime", &["in"]),
    ("speak", &["out"]),
    ("start", &["off"]),
    ("point", &["to"]),
];

static LEXICON: LazyLock<HashMap<String, Cue>> = LazyLock::new(|| {
    let mut lexicon = HashMap::new();
    for (lemmas, plain) in [(PLAIN, true), (BESIDE, false)] {
        for lemma in lemmas.split_whitespace() {
            for (word, form) in forms(lemma) {
                lexicon.entry(word).or_insert(Cue { lemma, form, plain });
            }
        }
    }
    lexicon
});

/// All forms of a verb.
fn forms(lemma: &'static str) -> Vec<(String, Form)> {
    let mut found: Vec<(String, Form)> =
        IRREGULAR.iter().filter(|(l, _)| *l == lemma).map(|(_, past)| (past.to_string(), Form::Past)).collect();
    if found.is_empty() || matches!(lemma, "plead" | "show" | "dream" | "learn") {
        found.extend(past_forms(lemma).into_iter().map(|past| (past, Form::Past)));
    }
    found.push((third_form(lemma), Form::Third));
    found.extend(participle_forms(lemma).into_iter().map(|p| (p, Form::Participle)));
    found.push((lemma.to_string(), Form::Base));
    found
}

fn past_forms(lemma: &str) -> Vec<String> {
    if lemma.ends_with('e') {
        return vec![format!("{lemma}d")];
    }
    match consonant_y(lemma) {
        Some(stem) => vec![format!("{stem}ied")],
        None => with_doubling(lemma, "ed"),
    }
}

fn participle_forms(lemma: &str) -> Vec<String> {
    match lemma.strip_suffix('e') {
        Some(stem) if !stem.ends_with('e') => vec![format!("{stem}ing")],
        _ => with_doubling(lemma, "ing"),
    }
}

fn third_form(lemma: &str) -> String {
    match consonant_y(lemma) {
        Some(stem) => format!("{stem}ies"),
        None if lemma.ends_with(['s', 'x', 'o']) || lemma.ends_with("sh") || lemma.ends_with("ch") => {
            format!("{lemma}es")
        }
        None => format!("{lemma}s"),
    }
}

fn consonant_y(lemma: &str) -> Option<&str> {
    lemma.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']))
}

/// With the ending, and with the last consonant doubled where that may happen ("quipped", "signalled").
fn with_doubling(lemma: &str, ending: &str) -> Vec<String> {
    let mut found = vec![format!("{lemma}{ending}")];
    if let Some(last) = lemma.chars().next_back().filter(|c| "bdglmnprt".contains(*c)) {
        found.push(format!("{lemma}{last}{ending}"));
    }
    found
}

/// The cue that `word` is, in whatever case.
///
/// ```
/// use detente::quotes::cues::{Form, cue};
/// let said = cue("Said").expect("a cue");
/// assert_eq!((said.lemma, said.form, said.plain), ("say", Form::Past, true));
/// assert!(cue("table").is_none());
/// ```
pub fn cue(word: &str) -> Option<Cue> {
    match LEXICON.get(word) {
        Some(cue) => Some(*cue),
        None if word.len() < 20 && word.starts_with(char::is_uppercase) => LEXICON.get(&word.to_lowercase()).copied(),
        None => None,
    }
}

/// Whether `word` is a finite word of saying wherever it stands ("said", "says").
pub fn is_plain_cue(word: &str) -> bool {
    cue(word).is_some_and(|c| c.plain && matches!(c.form, Form::Past | Form::Third))
}

/// Whether `next` completes the cue `lemma`: the "out" of "pointed out".
pub fn is_particle(lemma: &str, next: &str) -> bool {
    PARTICLES.iter().any(|(l, particles)| *l == lemma && particles.contains(&next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_known() {
        for (word, lemma, form) in [
            ("told", "tell", Form::Past),
            ("replies", "reply", Form::Third),
            ("replied", "reply", Form::Past),
            ("quipped", "quip", Form::Past),
            ("stressed", "stress", Form::Past),
            ("stresses", "stress", Form::Third),
            ("adding", "add", Form::Participle),
            ("noting", "note", Form::Participle),
            ("agreeing", "agree", Form::Participle),
            ("say", "say", Form::Base),
            ("emphasised", "emphasise", Form::Past),
        ] {
            let found = cue(word).unwrap_or_else(|| panic!("{word} is missing"));
            assert_eq!((found.lemma, found.form), (lemma, form), "{word}");
        }
        assert!(is_particle("point", "out") && !is_particle("say", "out"));
    }
}
