//! Word lists the surface rules read: roles, bodies, modifiers, function words, first names.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

type Words = LazyLock<HashSet<&'static str>>;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $list:expr) => {
        $(#[$doc])*
        pub(super) static $name: Words = LazyLock::new(|| $list.split_whitespace().collect());
    };
}

words!(
    /// What one person can be, singular: roles, professions, kin.
    ROLES,
    "accountant activist acrobat actor actress adjutant administrator admiral adviser advisor advocate aide ally ambassador \
    analyst anchor apostle applicant archbishop architect artist aspirant assistant astronaut athlete attorney aunt \
    author ayatollah baker banker barber bishop blogger bodyguard boss boy boyfriend brigadier broadcaster broker \
    brother builder businessman businesswoman captain cardinal carpenter cartoonist celebrity ceo cfo chairman \
    chairperson chairwoman chair challenger chancellor chaplain chef chief chieftain choreographer citizen cleric \
    clerk co-author co-chair co-director co-founder co-owner coach colleague collector colonel columnist comedian \
    commander commentator commissioner companion composer conductor congressman congresswoman conservationist \
    constable consul consultant contractor coordinator co-ordinator coroner correspondent councillor councilman \
    councilwoman counsel counselor counsellor counterpart cousin creator critic curator customer dad dean defendant \
    defender delegate demonstrator dentist deputy designer detective developer dictator diplomat director dissident \
    doctor dramatist driver duke economist editor educator emir emperor employee employer engineer entertainer entourage \
    entrepreneur envoy epidemiologist executive expert explorer farmer father fighter filmmaker financier \
    firefighter fisherman foreman founder friend geologist general girl girlfriend governor graduate grandfather \
    grandmother guard guest guide historian host hunter husband imam inmate inspector instructor insider interpreter \
    investigator investor inventor jailer journalist judge juror justice keeper king knight laborer labourer landlord \
    lawmaker lawyer leader lecturer legislator librarian lieutenant lobbyist magistrate major man manager marshal \
    master mathematician mate mayor mechanic mediator member merchant midwife minister ministers missionary model moderator monk \
    mother mourner mufti musician naturalist negotiator neighbor neighbour neighbour nephew neurologist niece nominee \
    novelist nun nurse observer officer official operator opponent organiser organizer owner painter parent \
    parishioner parliamentarian participant partner passenger pastor patient patriarch peasant philosopher \
    photographer physician physicist pilot player playwright pm poet policeman policewoman politician pollster pope \
    preacher premier president priest primatologist prime-minister prince princess principal prisoner producer \
    professional professor programmer prosecutor protester protestor psychiatrist psychologist publisher pundit pupil queen \
    rabbi rapporteur reader rebel receptionist rector referee refugee registrar reporter representative republican \
    democrat researcher resident retiree reverend reviewer rival runner sailor salesman scholar scientist sculptor \
    secretary secretary-general senator sergeant shareholder sheikh sheriff shopkeeper singer sister skipper soldier \
    solicitor son daughter source speaker specialist spokesman spokesperson spokeswoman staffer star statesman \
    statistician strategist student successor suffragan sultan superintendent superstar supervisor supporter surgeon \
    survivor suspect swimmer taoiseach teacher technician teenager tenant theologian therapist tourist trader trainer \
    translator treasurer trustee tsar tutor tycoon uncle undersecretary veteran veterinarian viceroy vice-president \
    victim villager violinist virologist visitor volunteer voter waiter waitress warden warrior whistleblower widow \
    widower wife winner witness woman worker writer youth youngster zoologist billionaire millionaire magnate mogul \
    ombudsman comptroller auditor chairlady headmaster headmistress headteacher vice-chancellor provost biologist \
    ecologist geneticist sociologist anthropologist archaeologist chemist astronomer meteorologist climatologist \
    seismologist hydrologist oceanographer conservative liberal independent socialist goalkeeper striker defender \
    midfielder batsman bowler champion boxer jockey cyclist golfer sprinter head caller user founder-director"
);

words!(
    /// What several people can be where no rule makes the plural, and people without a singular.
    PEOPLE,
    "men women children people police witnesses authorities experts officials sources critics analysts activists \
    spokesmen spokeswomen businessmen businesswomen congressmen policemen lawmakers residents locals parents staff \
    relatives families villagers troops rebels militants demonstrators protesters supporters opponents prosecutors \
    scientists researchers economists diplomats observers reporters journalists doctors lawyers investigators \
    medics firefighters rescuers clergy crew crowd fans voters republicans democrats conservatives liberals aides \
    allies fishermen statesmen salesmen wives others some many both"
);

words!(
    /// What speaks without being a person.
    BODIES,
    "academy administration agency alliance army assembly association authority bank bloc board body branch brigade \
    broadcaster bureau cabinet camp campaign center centre chamber charity church club coalition college command \
    commission committee communique communiqué community company conference confederation congress consortium \
    consulate cooperative corporation council court daily delegation department directorate embassy enterprise \
    executive federation firm forces force forum foundation fund government group hospital house initiative \
    institute institution journal judiciary junta league letter magazine media ministry mission monitor movement \
    navy network newspaper ngo office operator organisation organization outlet panel paper parliament partnership \
    party police post presidency press programme program project publication railway regime regulator report \
    resolution school secretariat section senate service society squad statement station survey study synod task \
    taskforce team think-tank times today tribunal trust tweet union unit university watchdog website workshop \
    guardian herald news radio tv television inc corp co ltd plc llc gmbh airlines airways industries holdings \
    motors reuters tass afp xinhua document memo declaration ruling verdict poll airline manufacturer maker \
    militia gang council-general staff corps guard headquarters"
);

words!(
    /// Words that stand before a role or a name and belong to it.
    MODIFIERS,
    "former acting deputy vice chief senior junior top prime foreign interior defense defence finance health justice \
    education trade economy energy environment agriculture transport labor labour culture tourism interim assistant \
    associate co general executive managing special ex- ex retired veteran late then outgoing incoming incumbent \
    first second third fourth main lead leading principal former opposition ruling government state federal regional local \
    provincial national international presidential parliamentary military security police party campaign ministry \
    human rights army navy air force union company press media news news-agency white-house political economic \
    business legal medical chief-of-staff staff senior-most high-ranking ranking unnamed unidentified anonymous \
    independent left-wing right-wing far-right far-left conservative liberal democratic republican socialist communist \
    nationalist islamist catholic muslim christian jewish orthodox anglican evangelical young old elderly fellow \
    veteran longtime long-time prominent influential leading well-known famous renowned chief co-founding founding \
    honorary emeritus presumptive would-be self-styled self-proclaimed exiled jailed ousted embattled newly-elected \
    elected appointed designate-elect visiting resident city town village district county municipal border customs \
    tax fire rescue emergency hospital school university college research science climate weather space oil gas \
    sports football soccer cricket tennis basketball team club national-security home commerce development planning \
    housing social welfare women women's youth children's public private civil criminal constitutional supreme high \
    majority minority shadow lower upper house senate congressional committee board group bank central store shop \
    factory plant industry market marketing sales technology tech communications information digital data policy \
    operations diplomatic pro-government pro-russian anti-government another other several many some more most few \
    two three four five six seven eight nine ten dozens hundreds thousands one own same new own last next"
);

words!(
    /// Words that begin a noun phrase.
    DETERMINERS,
    "the a an this these those his her their its our my your another some several many both no one two three \
    four five six seven eight nine ten every each"
);

words!(
    /// Personal pronouns that can say something.
    PRONOUNS,
    "he she they it i we"
);

words!(
    /// Words that never are part of a name or the head of a noun phrase.
    FUNCTION,
    "a about above according across after afterwards again against ago all almost along already also although always \
    am amid among an and another any anyone are around as asked at away back be because been before behind being below \
    beneath besides between beyond both but by can cannot could despite did do does doing done down during each \
    earlier either else ever every everyone everything except few finally first following for from further \
    furthermore given had has have having he hence her here hers herself him himself his how however i if in indeed \
    inside instead into is it its itself just last lastly later least less like likewise many may me meanwhile might \
    mine more moreover most much must my myself near nearly never nevertheless next no nobody none nonetheless nor not \
    nothing now nowhere of off often on once one only onto or other others otherwise our ours out outside over own \
    past per perhaps quite rather really recently regarding same secondly shall she should similarly since so some \
    somebody someone something sometimes somewhere soon still such than that the their theirs them then there \
    thereafter therefore these they this those though through throughout thus till to today together tomorrow tonight \
    too toward towards under underneath unless unlike until up upon us usually very via was we were what whatever when \
    whenever where whereas wherever whether which while who whoever whom whose why will with within without would \
    yes yesterday yet you your yours speaking adding saying asked yet additionally second third two three four five \
    six seven eight nine ten"
);

words!(
    /// Auxiliaries and adverbs that stand between a subject and its cue.
    FILLERS,
    "also then later today yesterday recently earlier has had have was were is are been be being did do does would \
    will could may might must should n't not never once again still now just often always already further \
    subsequently immediately simply even only publicly privately repeatedly clearly quickly firmly flatly bluntly \
    openly quietly angrily calmly jokingly famously reportedly allegedly apparently meanwhile first finally \
    reluctantly briefly similarly previously specifically strongly categorically explicitly officially formally \
    reportedly initially eventually ultimately sarcastically defiantly cheerfully gently proudly however therefore \
    monday tuesday wednesday thursday friday saturday sunday tonight afterwards afterward soon both all himself herself themselves itself \
    there here too rightly wrongly correctly half-jokingly"
);

words!(
    /// Words that end the noun phrase of an inverted subject ("said Lavrov in Vienna").
    STOPPERS,
    "in on at after before during when while as to from by via last this who which that where whose through \
    following amid despite because since until if although though but and or than into over under upon about \
    against between without within near outside inside speaking referring adding noting earlier later today \
    yesterday tonight monday tuesday wednesday thursday friday saturday sunday was were is are has had again told \
    with"
);

words!(
    /// Subject forms and finite auxiliaries: signs that words make a clause of their own.
    FINITE,
    "am is are was were will would can could shall should may might must has have had do does did 's 're 've 'll 'd \
    'm n't ain't let don't doesn't didn't won't can't isn't aren't wasn't weren't i'm we're they're it's that's \
    there's he's she's you're we've i've they've we'll i'll they'll it'll cannot don’t doesn’t didn’t won’t can’t \
    isn’t aren’t wasn’t weren’t i’m we’re they’re it’s that’s there’s he’s she’s you’re we’ve i’ve they’ve we’ll i’ll \
    they’ll it’ll couldn't shouldn't wouldn't couldn’t shouldn’t wouldn’t haven't hasn't haven’t hasn’t"
);

words!(
    /// Subjects of a clause.
    SUBJECTS,
    "i we you they he she it there this that who nobody everyone everybody"
);

words!(
    /// Days, months and time zones: capitalised, but no names.
    CALENDAR,
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August \
    September October November December Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Jan. Feb. Mar. Apr. Jun. \
    Jul. Aug. Sep. Sept. Oct. Nov. Dec. GMT EST EDT PST UTC Christmas Easter Ramadan AM PM"
);

words!(
    /// Small words inside names.
    PARTICLES,
    "de da do dos das del della der den di du la le van von bin bint ibn al el ben ter ten y e abu st. ould"
);

words!(
    /// Titles of address, which are no roles.
    ADDRESS,
    "Mr Mr. Mrs Mrs. Ms Ms. Miss Dr Dr. Sir Dame Lord Lady Madam Madame Mme Mme. Mx Prof Prof. Rev Rev. Hon Hon. \
    Father Sister Señor Señora Don Doña Herr Frau Monsieur"
);

words!(
    /// Abbreviated roles before a name.
    SHORT_ROLES,
    "Gen. Sen. Rep. Gov. Lt. Col. Sgt. Capt. Maj. Adm. Cmdr. Pres. Amb. Cpl. Brig. Insp. Supt. Gen Sen Rep Gov Lt Col \
    Sgt Capt Maj Adm Cmdr Reps. Sens. PM CEO CFO COO CTO MP MEP MLA MNA Senator Secretary Speaker Justice Pope King \
    Queen Prince Princess Emperor Sheikh Ayatollah Imam Rabbi Archbishop Cardinal Patriarch Marshal"
);

words!(
    /// Words and names that tell a woman.
    FEMALE,
    "Mrs Mrs. Ms Ms. Miss Dame Lady Madam Madame Mme Mme. Señora Frau Sister she her herself actress spokeswoman \
    chairwoman businesswoman congresswoman councilwoman policewoman queen princess mother sister wife daughter \
    girlfriend grandmother widow aunt niece waitress woman girl headmistress nun \
    Agnes Aisha Alexandra Alice Alicia Amanda Amina Amy Ana Andrea Angela Anna Anne Annie Asha Ashley Ayesha Barbara \
    Beatrice Brenda Carla Carmen Carol Caroline Catherine Charlotte Chelsea Christina Christine Claire Clara Claudia \
    Condoleezza Cristina Cynthia Debbie Deborah Denise Diana Diane Donna Dorothy Edith Elena Elizabeth Ella Ellen \
    Emily Emma Erin Esther Eva Eve Fatima Fiona Florence Gabriela Gloria Grace Hannah Heather Helen Hilary Hillary \
    Huma Ingrid Irene Irina Isabel Ivana Ivanka Jacinda Jane Janet Janice Jean Jennifer Jessica Jill Joan Joyce Judith \
    Judy Julia Julie Karen Kate Katherine Kathleen Katie Kellyanne Kelly Kimberly Laura Lena Linda Lisa Louise Lucia \
    Lucy Luisa Lynn Madeleine Margaret Maria María Marie Marina Martha Mary Megan Megyn Melania Melissa Meryl Michelle \
    Mira Miriam Monica Nadia Nancy Natalia Natalie Natalya Nicola Nicole Nina Nora Olga Olivia Pamela Patricia Paula \
    Penny Priya Rachel Rebecca Rita Robin Rosa Rose Ruth Sabrina Samantha Sandra Sara Sarah Sharon Sheila Shirley \
    Silvia Simone Sofia Sophia Sophie Stephanie Susan Susana Suzanne Svetlana Sylvia Tatyana Teresa Theresa Tina Ursula \
    Valentina Valerie Vanessa Vera Veronica Victoria Virginia Wendy Winnie Yelena Yvonne Zainab Zoe"
);

words!(
    /// Words and names that tell a man.
    MALE,
    "Mr Mr. Sir Lord Señor Don Herr Monsieur Father he him his himself actor spokesman chairman businessman congressman \
    councilman policeman king prince father brother husband son boyfriend grandfather widower uncle nephew waiter man \
    boy headmaster monk pope emir sultan sheikh imam archbishop bishop cardinal priest \
    Aaron Abdul Abdullah Adam Ahmad Ahmed Alan Albert Alberto Alejandro Alexander Alexei Ali Andre Andrei Andrew Andy \
    Anthony Antonio Arthur Barack Ben Benjamin Bernard Bernie Bill Bob Boris Brad Brian Bruce Carl Carlos Charles Charlie \
    Chris Christopher Chuck Colin Craig Dan Daniel Darren Dave David Dean Dennis Dick Dimitri Dmitri Dmitry Donald \
    Doug Douglas Ed Eduardo Edward Emmanuel Enrique Eric Ernest Evan Felipe Felix Fernando Fidel Francis Francisco \
    Francois Frank Fred Gareth Gary Gavin Geoff George Gerald Gerard Gordon Graham Greg Gregory Hans Harold Harry Hassan \
    Hector Henry Herbert Howard Hugh Hugo Hussein Ian Ibrahim Igor Ivan Jack Jacob Jaime James Jamie Jason Javier Jeff \
    Jeffrey Jens Jeremy Jerry Jesus Jim Jimmy Joe Joel Johan John Johnny Jonathan Jorge Jose José Joseph Joshua Juan \
    Julian Justin Karl Keith Ken Kenneth Kevin Kofi Kyle Larry Lars Lee Leo Leon Leonard Louis Luis Luke Malcolm \
    Manuel Marc Marco Marcus Mario Mark Martin Marvin Matt Matthew Maurice Max Michael Miguel Mikhail Mike Mitch Mitt \
    Mohamed Mohammad Mohammed Muhammad Mustafa Nathan Neil Newt Nicholas Nick Nicolas Nigel Nikolai Noah Norman Oleg \
    Oliver Omar Oscar Pablo Patrick Paul Pavel Pedro Peter Phil Philip Phillip Pierre Rafael Ralph Ramon Raul Ray \
    Raymond Rex Ricardo Richard Rick Rob Robert Roberto Rodrigo Roger Roland Ron Ronald Roy Rudy Rupert Russell Ryan \
    Salman Samuel Scott Sean Sebastian Sergei Sergey Sergio Shinzo Simon Stanley Stefan Stephen Steve Steven Stuart Ted \
    Terry Thomas Tim Timothy Toby Todd Tom Tommy Tony Trevor Vadim Vasily Victor Viktor Vincent Vitaly Vladimir \
    Volodymyr Walter Warren Wayne William Winston Xavier Yasser Yevgeny Yuri Yusuf Zachary"
);

/// Every form of a role word, in lower case, and whether it is a plural.
static ROLE_FORMS: LazyLock<HashMap<String, bool>> = LazyLock::new(|| {
    let singular = ROLES.iter().map(|role| (role.to_string(), false));
    let plural = ROLES.iter().map(|role| (plural_of(role), true));
    let people = PEOPLE.iter().map(|word| (word.to_string(), true));
    plural.chain(singular).chain(people).collect()
});

/// Every form of a word for a body, in lower case.
static BODY_FORMS: LazyLock<HashSet<String>> =
    LazyLock::new(|| BODIES.iter().flat_map(|body| [body.to_string(), plural_of(body)]).collect());

fn plural_of(noun: &str) -> String {
    if let Some(stem) = noun.strip_suffix("man") {
        return format!("{stem}men");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// The word in lower case, without a copy where it is so already.
fn lower(word: &str) -> Cow<'_, str> {
    if word.chars().any(char::is_uppercase) { Cow::Owned(word.to_lowercase()) } else { Cow::Borrowed(word) }
}

/// Whether the word, singular or plural and in any case, is what a person can be.
pub(super) fn is_role(word: &str) -> bool {
    ROLE_FORMS.contains_key(lower(word).as_ref()) || SHORT_ROLES.contains(word)
}

/// Whether the word means several people.
pub(super) fn is_plural_role(word: &str) -> bool {
    ROLE_FORMS.get(lower(word).as_ref()).copied().unwrap_or(false)
}

/// Whether the word, singular or plural and in any case, is a body that speaks.
pub(super) fn is_body(word: &str) -> bool {
    BODY_FORMS.contains(lower(word).as_ref())
}

/// Whether the word is in `list` in any case.
pub(super) fn is_in(list: &Words, word: &str) -> bool {
    list.contains(word) || (word.starts_with(char::is_uppercase) && list.contains(lower(word).as_ref()))
}
