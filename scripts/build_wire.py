#!/usr/bin/env python3
"""Builds datasets/wire/wire.jsonl from the marked-up articles in datasets/wire/src.

    python3 scripts/build_wire.py            build, check, write
    python3 scripts/build_wire.py --check    build and check; fail if the written files differ
    python3 scripts/build_wire.py --proof    print every label, one a line, for proof-reading
    python3 scripts/build_wire.py --blind    print the quotes in shuffled order without their stance
    python3 scripts/build_wire.py --freeze   keep the present labels as the first pass
    python3 scripts/build_wire.py --compare  agreement of the present labels with the first pass

The markup is described in datasets/README.md. Only the standard library is used.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIRE = ROOT / "datasets" / "wire"
DEMO = ROOT / "datasets" / "demo"
# The three articles that `make demo` shows.
DEMO_IDS = {"wire-01": "border-talks", "wire-05": "prisoner-exchange", "wire-06": "rail-strike"}

KINDS = {"d": "direct", "i": "indirect", "m": "mixed"}
STANCES = {"c": "conciliatory", "f": "firm", "n": "neutral"}
EVIDENCE = {
    "exact": "exact",
    "short": "short_name",
    "title": "title",
    "pronoun": "pronoun",
    "carried": "carried_over",
    "metonym": "metonym",
}
NO_SPEAKER = {"no_attribution", "unnamed", "unresolved_pronoun"}
ENTITY_TYPES = ("PER", "ORG", "LOC", "MISC")
PRONOUNS = {"he", "she", "they", "it", "i", "we", "who", "him", "her", "them"}
OPENING = "\"“‘'«„"
CLOSING = "\"”’'»“"
# Double marks tell a mixed quote; a single mark may be an apostrophe.
DOUBLE_MARKS = "\"“”«»"
# Authors cannot see a no-break space, so the sources write it as an open box.
NO_BREAK = "␣"

# What the set must hold, checked at every build.
REQUIRED_COUNTS = {"articles": 26, "indirect": 60, "mixed": 20}
REQUIRED_PHENOMENA = """
    marks-straight marks-curly marks-single marks-guillemets marks-mixed nested split multi-paragraph brackets
    apostrophe feet-inches scare title-of-work nickname unclosed inverted passive according-to colon-style
    headline-dash title-speaker pronoun carried-over short-name role appositive two-speakers two-sources
    no-attribution unnamed metonym discontinuous refusal promise emoji accents no-break-space crlf
""".split()


class Bad(Exception):
    """A source that breaks a rule, with the place."""


def main():
    options = parse_arguments()
    articles = [parse(path) for path in sorted((WIRE / "src").glob("wire-*.txt"))]
    check_set(articles, lenient=options.partial)
    outputs = render(articles)
    if options.proof:
        return proof(articles)
    if options.blind:
        return blind(articles)
    if options.compare:
        return compare(articles)
    if options.freeze:
        outputs = {WIRE / "first-pass.tsv": first_pass_table(articles)}
    if options.check:
        return check_written(outputs)
    for path, data in outputs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode("utf-8"))
    summary(articles)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("check", "proof", "blind", "freeze", "compare", "partial"):
        parser.add_argument("--" + name, action="store_true")
    return parser.parse_args()


# ---------------------------------------------------------------- reading one article


def parse(path):
    """The article of one source file: text, entities, quotes, phenomena."""
    raw = path.read_text(encoding="utf-8")
    try:
        body, _, footer = raw.partition("\n---\n")
        if not footer:
            raise Bad("no footer after a line '---'")
        footer = parse_footer(footer)
        body = body.strip("\n").replace(NO_BREAK, "\u00a0") + "\n"
        if "crlf" in footer["phenomena"]:
            body = body.replace("\n", "\r\n")
        text, spans = strip_tags(body)
        article = {
            "id": path.stem,
            "text": text,
            "entities": entities(text, spans, footer["lexicon"]),
            "quotes": quotes(text, spans, footer),
            "declared": footer["phenomena"],
        }
        article["phenomena"] = sorted(set(footer["phenomena"]) | found_phenomena(article))
        return article
    except Bad as error:
        sys.exit(f"{path.name}: {error}")


def parse_footer(text):
    footer = {"lexicon": {}, "people": {}, "labels": {}, "phenomena": []}
    for line in filter(None, map(str.strip, text.splitlines())):
        head, _, rest = line.partition(" ")
        if head.rstrip(":") in ENTITY_TYPES:
            for name in rest.split(", "):
                if footer["lexicon"].setdefault(name, head.rstrip(":")) != head.rstrip(":"):
                    raise Bad(f"two types for {name!r}")
        elif head.startswith("@"):
            name, _, role = rest.partition(" | ")
            if head[1:] in footer["people"]:
                raise Bad(f"two people called {head}")
            footer["people"][head[1:]] = (name, role or None)
        elif head.isdigit():
            if int(head) in footer["labels"]:
                raise Bad(f"quote {head} labelled twice")
            footer["labels"][int(head)] = rest.split()
        elif head == "phenomena:":
            footer["phenomena"] = rest.split()
        else:
            raise Bad(f"footer line not understood: {line!r}")
    return footer


def strip_tags(body):
    """The plain text, and the tagged spans as (tag, number, start, end) in characters."""
    out, spans, stack = [], [], []
    position = 0
    while position < len(body):
        opened = re.compile(r"\{([qcsPOLM-])(\d+(?:\+\d+)*)?\|").match(body, position)
        if opened:
            stack.append((opened.group(1), opened.group(2), len(out)))
            position = opened.end()
        elif body[position] == "}":
            if not stack:
                raise Bad(f"'}}' without '{{' near {''.join(out[-30:])!r}")
            tag, numbers, start = stack.pop()
            for number in (numbers or "0").split("+"):
                spans.append((tag, int(number), start, len(out)))
            position += 1
        elif body[position] in "{|":
            raise Bad(f"stray {body[position]!r} near {''.join(out[-30:])!r}")
        else:
            out.append(body[position])
            position += 1
    if stack:
        raise Bad(f"tag never closed: {stack}")
    text = "".join(out)
    for tag, number, start, end in spans:
        surface = text[start:end]
        if not surface or surface != surface.strip():
            raise Bad(f"empty or untrimmed {tag}{number}: {surface!r}")
    return text, spans


def entities(text, spans, lexicon):
    """Every occurrence of the names listed in the footer, longest first; inline tags overrule the list."""
    inline = {"P": "PER", "O": "ORG", "L": "LOC", "M": "MISC", "-": None}
    found = [(s, e, inline[tag]) for tag, _, s, e in spans if tag in inline]
    taken = [(s, e) for s, e, _ in found]
    for name in sorted(lexicon, key=len, reverse=True):
        hits = list(re.finditer(r"(?<!\w)" + re.escape(name) + r"(?!\w)", text))
        if not hits:
            raise Bad(f"entity {name!r} does not occur")
        free = [h for h in hits if not any(h.start() < e and s < h.end() for s, e in taken)]
        if not free:
            raise Bad(f"entity {name!r} occurs only inside others")
        for hit in free:
            taken.append(hit.span())
            found.append((*hit.span(), lexicon[name]))
    return sorted((s, e, kind) for s, e, kind in found if kind)


# ---------------------------------------------------------------- quotes


def quotes(text, spans, footer):
    groups = collections.defaultdict(lambda: {"q": [], "c": [], "s": []})
    for tag, number, start, end in spans:
        if tag in "qcs":
            groups[number][tag].append((start, end))
    if set(groups) != set(footer["labels"]):
        raise Bad(f"tags and labels differ: {sorted(set(groups) ^ set(footer['labels']))}")
    if sorted(groups) != list(range(1, len(groups) + 1)):
        raise Bad(f"numbers are not 1…{len(groups)}: {sorted(groups)}")
    result = [quote(text, n, groups[n], footer) for n in sorted(groups)]
    if [q["number"] for q in sorted(result, key=lambda q: q["parts"][0])] != sorted(groups):
        raise Bad("quotes are not numbered in order of position")
    return result


def quote(text, number, group, footer):
    label = footer["labels"][number]
    kind, stance, who, rest = KINDS[label[0]], label[1], label[2], label[3:]
    if len(group["c"]) > 1 or len(group["s"]) > 1 or not group["q"]:
        raise Bad(f"quote {number}: needs at least one part, at most one cue and one speaker")
    quote = {
        "number": number,
        "kind": kind,
        "parts": sorted(group["q"]),
        "cue": group["c"][0] if group["c"] else None,
        "stance": STANCES[stance[0]],
        "sure": not stance.endswith("?"),
        # Marks inside the content that set off a title and quote nobody.
        "marks_title": "marks=title" in rest,
        "flags": [],
        "speaker": None,
        "no_speaker": None,
    }
    for option in [r for r in rest if "=" in r]:
        key, _, value = option.partition("=")
        if key == "flags":
            quote["flags"] = value.split(",")
    if who == "!":
        if rest[0] not in NO_SPEAKER or group["s"]:
            raise Bad(f"quote {number}: bad reason {rest[0]!r}, or a speaker is tagged")
        quote["no_speaker"] = rest[0]
    else:
        quote["speaker"] = speaker(text, number, group, who, rest, footer)
    check_marks(text, quote)
    return quote


def speaker(text, number, group, who, rest, footer):
    if who not in footer["people"]:
        raise Bad(f"quote {number}: no person @{who}")
    name, role = footer["people"][who]
    evidence = EVIDENCE[rest[0]]
    country = next((r.partition("=")[2] for r in rest if r.startswith("country=")), None)
    mention = group["s"][0] if group["s"] else None
    surface = text[slice(*mention)] if mention else None
    words = set(re.findall(r"\w+", name.lower()))
    if (evidence == "carried_over") != (mention is None):
        raise Bad(f"quote {number}: carried over means no mention, and the reverse")
    if name.lower() not in text.lower():
        raise Bad(f"quote {number}: name {name!r} is not in the text")
    if role and role.lower() not in text.lower():
        raise Bad(f"quote {number}: role {role!r} is not in the text")
    if evidence == "exact" and name.lower() not in surface.lower():
        raise Bad(f"quote {number}: {surface!r} does not hold the full name {name!r}")
    if evidence == "short_name" and (name in surface or not words & set(re.findall(r"\w+", surface.lower()))):
        raise Bad(f"quote {number}: {surface!r} is no short form of {name!r}")
    if (evidence == "pronoun") != (surface is not None and surface.lower() in PRONOUNS):
        raise Bad(f"quote {number}: {surface!r} and evidence {evidence}")
    return {"mention": mention, "name": name, "role": role, "country": country, "evidence": evidence}


def check_marks(text, quote):
    """Direct parts stand exactly between marks, mixed ones hold a mark, indirect ones none."""
    for index, (start, end) in enumerate(quote["parts"]):
        surface = text[start:end]
        before = text[:start].rstrip("\u00a0")[-1:]
        after = text[end:].lstrip("\u00a0")[:1]
        where = f"quote {quote['number']} part {index + 1} {surface!r}"
        if quote["kind"] == "direct":
            later_paragraph = "\n" in text[end:end + 2] and index + 1 < len(quote["parts"])
            open_end = later_paragraph or (quote["flags"] == ["unclosed"] and "\n" in text[end:end + 2])
            if before not in OPENING or not (after in CLOSING or open_end):
                raise Bad(f"{where}: stands not between marks: {before!r} {after!r}")
        elif quote["kind"] == "indirect" and not quote["marks_title"] and any(m in surface for m in DOUBLE_MARKS):
            raise Bad(f"{where}: indirect with a mark")
    if quote["kind"] == "mixed":
        whole = " ".join(text[s:e] for s, e in quote["parts"])
        if not any(m in whole for m in DOUBLE_MARKS + "‘'"):
            raise Bad(f"quote {quote['number']}: mixed without a mark")


# ---------------------------------------------------------------- phenomena


def found_phenomena(article):
    """What can be told from the text and the labels themselves; the rest is declared in the footer."""
    text, found = article["text"], set()
    for q in article["quotes"]:
        found |= quote_phenomena(text, q)
    if re.search(r"[à-žÀ-Ž]", text):
        found.add("accents")
    if re.search(r"[\U0001F300-\U0001FAFF\u2600-\u27BF]", text):
        found.add("emoji")
    if "\u00a0" in text:
        found.add("no-break-space")
    if "\r\n" in text:
        found.add("crlf")
    mentions = collections.Counter(q["speaker"]["mention"] for q in article["quotes"] if q["speaker"])
    if any(span and count > 1 for span, count in mentions.items()):
        found.add("shared-source")
    return found


def quote_phenomena(text, q):
    found = {q["kind"]} | set(q["flags"])
    parts = q["parts"]
    marks = [(text[:s].rstrip("\u00a0")[-1:], text[e:].lstrip("\u00a0")[:1]) for s, e in parts if q["kind"] == "direct"]
    names = {'"': "straight", "“": "curly", "”": "curly", "‘": "single", "’": "single", "'": "single",
             "«": "guillemets", "»": "guillemets"}
    for pair in marks:
        kinds = {names[m] for m in pair if m in names}
        found |= {"marks-" + k for k in kinds}
        if len({m for m in pair} & set('"“”')) > 1 and '"' in pair:
            found.add("marks-mixed")
    if q["kind"] == "direct":
        for (_, end), (start, _) in zip(parts, parts[1:]):
            found.add("multi-paragraph" if not text[end:start].strip("\r\n \u00a0\"“‘«") else "split")
        if any(re.search(r"[‘“\"«]\w", text[s:e]) or re.search(r"(?<!\w)'\w[^']*\w'", text[s:e]) for s, e in parts):
            found.add("nested")
        if any("[" in text[s:e] for s, e in parts):
            found.add("brackets")
    elif len(parts) > 1:
        found.add("discontinuous")
    cue = text[slice(*q["cue"])].lower() if q["cue"] else ""
    if cue == "according to":
        found.add("according-to")
    if q["no_speaker"]:
        found.add(q["no_speaker"].replace("_", "-"))
    if q["speaker"]:
        found |= speaker_phenomena(q, cue)
    return found


def speaker_phenomena(q, cue):
    evidence = q["speaker"]["evidence"]
    found = {{"title": "title-speaker"}.get(evidence, evidence.replace("_", "-"))}
    if q["speaker"]["role"]:
        found.add("role")
    mention = q["speaker"]["mention"]
    if mention and q["cue"] and q["kind"] == "direct" and q["cue"][0] < mention[0] and cue != "according to":
        found.add("inverted")
    return found


# ---------------------------------------------------------------- the whole set


def check_set(articles, lenient):
    counts = counted(articles)
    missing = {k: (counts[k], n) for k, n in REQUIRED_COUNTS.items() if counts[k] < n}
    seen = collections.Counter(p for a in articles for p in a["phenomena"])
    few = [p for p in REQUIRED_PHENOMENA if seen[p] < 2]
    long = {a["id"]: n for a in articles if not 150 <= (n := len(a["text"].split())) <= 400}
    problems = [f"{name}: {value}" for name, value in
                (("counts", missing), ("phenomena in fewer than two articles", few), ("length in words", long)) if value]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems and not lenient:
        sys.exit(1)


def counted(articles):
    counts = collections.Counter({"articles": len(articles)})
    for article in articles:
        for _, _, kind in article["entities"]:
            counts[kind] += 1
        for q in article["quotes"]:
            counts["quotes"] += 1
            counts[q["kind"]] += 1
            counts[q["stance"]] += 1
            counts[q["speaker"]["evidence"] if q["speaker"] else q["no_speaker"]] += 1
    return counts


def summary(articles):
    counts = counted(articles)
    words = sum(len(a["text"].split()) for a in articles)
    print(f"{words} words; " + ", ".join(f"{k} {v}" for k, v in counts.items()))


def check_written(outputs):
    stale = [str(p.relative_to(ROOT)) for p, data in outputs.items() if not p.exists() or p.read_bytes() != data.encode()]
    if stale:
        sys.exit("not up to date, run scripts/build_wire.py: " + ", ".join(stale))
    print("up to date")


# ---------------------------------------------------------------- writing


def render(articles):
    records = "".join(json.dumps(record(a), ensure_ascii=False) + "\n" for a in articles)
    phenomena = "id\tphenomena\n" + "".join(f"{a['id']}\t{' '.join(a['phenomena'])}\n" for a in articles)
    sure = "id\tquote\tstance\tsure\n" + "".join(
        f"{a['id']}\t{i}\t{q['stance']}\t{int(q['sure'])}\n" for a in articles for i, q in enumerate(a["quotes"]))
    outputs = {WIRE / "wire.jsonl": records, WIRE / "phenomena.tsv": phenomena, WIRE / "confidence.tsv": sure}
    for article in articles:
        if article["id"] in DEMO_IDS:
            outputs[DEMO / f"{DEMO_IDS[article['id']]}.txt"] = article["text"]
    return outputs


def record(article):
    text = article["text"]

    def span(pair):
        return None if pair is None else {"start": pair[0], "end": pair[1], "text": text[slice(*pair)]}

    return {
        "schema": "detente.record/1",
        "id": article["id"],
        "source": None,
        "title": None,
        "date": None,
        "text": text,
        "offset_unit": "char",
        "entities": [{"type": kind, **span((s, e))} for s, e, kind in article["entities"]],
        "quotes": [quote_record(q, span) for q in article["quotes"]],
    }


def quote_record(q, span):
    out = {"kind": q["kind"], "parts": [span(p) for p in q["parts"]], "cue": span(q["cue"]), "speaker": None}
    if q["speaker"]:
        out["speaker"] = {**q["speaker"], "mention": span(q["speaker"]["mention"])}
    else:
        out["no_speaker"] = q["no_speaker"]
    if q["flags"]:
        out["flags"] = q["flags"]
    out["stance"] = {"label": q["stance"]}
    return out


# ---------------------------------------------------------------- proof-reading and the two passes


def proof(articles):
    for a in articles:
        text = a["text"]
        print(f"=== {a['id']} ({len(text.split())} words) {' '.join(a['phenomena'])}")
        for kind in ENTITY_TYPES:
            names = collections.Counter(text[s:e] for s, e, k in a["entities"] if k == kind)
            print(f"  {kind}: " + ", ".join(f"{n}×{c}" for n, c in names.items()))
        for q in a["quotes"]:
            words = " […] ".join(text[s:e] for s, e in q["parts"])
            cue = text[slice(*q["cue"])] if q["cue"] else "–"
            who = q["speaker"]
            mention = text[slice(*who["mention"])] if who and who["mention"] else "–"
            said = f"{mention} = {who['name']} / {who['role']} / {who['evidence']}" if who else q["no_speaker"]
            print(f"  {q['number']:2} {q['kind']:8} {q['stance'][0]}{'' if q['sure'] else '?'} [{cue}] {{{said}}} {words}")


def blind(articles):
    """Each quote with a key, its surroundings and speaker, in an order that hides the articles' flow."""
    rows = [(a, q) for a in articles for q in a["quotes"]]
    random.Random(7).shuffle(rows)
    for a, q in rows:
        start, end = q["parts"][0][0], q["parts"][-1][1]
        left, right = a["text"][max(0, start - 120):start], a["text"][end:end + 120]
        words = " […] ".join(a["text"][s:e] for s, e in q["parts"])
        print(f"{a['id']}#{q['number']}\t…{left} ⟦{words}⟧ {right}…".replace("\r", "").replace("\n", " / "))


def label_items(articles):
    """Every label as (document, layer, surface, value): what the two passes are compared on.

    Surfaces, not offsets, so that a correction of the text elsewhere does not count as a change of label.
    """
    for a in articles:
        text, seen = a["text"], collections.Counter()
        for s, e, kind in a["entities"]:
            seen[text[s:e]] += 1
            yield (a["id"], "entity", f"{text[s:e]} ({seen[text[s:e]]})", kind)
        for q in a["quotes"]:
            yield from quote_items(a["id"], text, q)


def quote_items(document, text, q):
    def surface(span):
        return " ".join(text[slice(*span)].split()) if span else "none"

    key, who = " … ".join(surface(p) for p in q["parts"]), q["speaker"]
    yield (document, "quote", key, q["kind"])
    yield (document, "cue", key, surface(q["cue"]))
    yield (document, "mention", key, surface(who["mention"]) if who else "none")
    for layer in ("name", "role", "evidence"):
        yield (document, layer, key, str(who[layer]) if who else q["no_speaker"])
    yield (document, "stance", key, q["stance"])


def first_pass_table(articles):
    return "id\tlayer\tsurface\tvalue\n" + "".join("\t".join(item) + "\n" for item in label_items(articles))


def compare(articles):
    lines = (WIRE / "first-pass.tsv").read_text(encoding="utf-8").splitlines()[1:]
    first = {tuple(line.split("\t")) for line in lines}
    second = set(label_items(articles))
    for layer in ("entity", "quote"):
        one, two = ({i for i in items if i[1] == layer} for items in (first, second))
        print(f"{layer}\tfirst {len(one)}\tsecond {len(two)}\tsame span and value {len(one & two)}\t"
              f"F1 {2 * len(one & two) / (len(one) + len(two)):.4f}")
    for layer in ("cue", "mention", "name", "role", "evidence", "stance"):
        one, two = ({i[:3]: i[3] for i in items if i[1] == layer} for items in (first, second))
        shared = one.keys() & two.keys()
        print(f"{layer}\tsame on {sum(one[k] == two[k] for k in shared)} of {len(shared)} quotes with the same span")
    print("kappa of stance on quotes with the same span: {:.4f} (n = {})".format(*stance_kappa(first, second)))


def stance_kappa(first, second):
    one = {i[:3]: i[3] for i in first if i[1] == "stance"}
    two = {i[:3]: i[3] for i in second if i[1] == "stance"}
    pairs = [(one[k], two[k]) for k in one.keys() & two.keys()]
    observed = sum(a == b for a, b in pairs) / len(pairs)
    shares = [collections.Counter(p[i] for p in pairs) for i in (0, 1)]
    expected = sum(shares[0][k] * shares[1][k] for k in STANCES.values()) / len(pairs) ** 2
    return (observed - expected) / (1 - expected), len(pairs)


if __name__ == "__main__":
    main()
