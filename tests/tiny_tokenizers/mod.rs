//! Tokenizers of a few hundred pieces, one of each kind that model folders hold.
#![allow(dead_code, reason = "each test file uses some of it")]

use serde_json::{Value, json};
use std::path::Path;

/// The kinds of tokenizer, as their `tokenizer.json` with the `config.json` that goes with it.
pub fn all() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("bert", word_piece(), json!({"model_type": "bert", "max_position_embeddings": 64, "type_vocab_size": 2})),
        (
            "roberta",
            byte_level(),
            json!({"model_type": "roberta", "max_position_embeddings": 66, "type_vocab_size": 1, "pad_token_id": 1}),
        ),
        (
            "deberta-v2",
            unigram(),
            json!({"model_type": "deberta-v2", "max_position_embeddings": 64, "type_vocab_size": 0}),
        ),
    ]
}

/// Writes both files into `dir`.
pub fn write(dir: &Path, tokenizer: &Value, config: &Value) {
    std::fs::write(dir.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    std::fs::write(dir.join("config.json"), config.to_string()).unwrap();
}

/// WordPiece over lower-cased letters without accents, as BERT has it; it carries truncation and padding.
pub fn word_piece() -> Value {
    let mut pieces: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(String::from).to_vec();
    for c in ('!'..='~').filter(|c| !c.is_ascii_uppercase()) {
        pieces.push(c.to_string());
        pieces.push(format!("##{c}"));
    }
    pieces.extend(["the", "minister", "talk", "##s", "peace", "port", "##ing"].map(String::from));
    pieces.dedup();
    let vocab: serde_json::Map<String, Value> = pieces.into_iter().enumerate().map(|(i, p)| (p, json!(i))).collect();
    let (cls, sep) = (vocab["[CLS]"].clone(), vocab["[SEP]"].clone());
    json!({
        "version": "1.0",
        "truncation": {"max_length": 16, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": specials(&[(0, "[PAD]"), (1, "[UNK]"), (2, "[CLS]"), (3, "[SEP]")]),
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": template("[CLS]", &cls, "[SEP]", &sep),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab}
    })
}

/// Byte-level BPE, as RoBERTa has it.
pub fn byte_level() -> Value {
    let mut pieces: Vec<String> = ["<s>", "<pad>", "</s>", "<unk>"].map(String::from).to_vec();
    let mut bytes: Vec<String> =
        tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet().iter().map(char::to_string).collect();
    bytes.sort();
    pieces.extend(bytes);
    pieces.extend(["Ġt", "he", "Ġthe", "in", "is"].map(String::from));
    let vocab: serde_json::Map<String, Value> = pieces.into_iter().enumerate().map(|(i, p)| (p, json!(i))).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": specials(&[(0, "<s>"), (1, "<pad>"), (2, "</s>"), (3, "<unk>")]),
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": true, "add_prefix_space": false},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": false, "vocab": vocab, "merges": ["Ġ t", "h e", "Ġt he", "i n", "i s"]}
    })
}

/// Unigram with `▁` for spaces, as DeBERTa-v2 has it.
pub fn unigram() -> Value {
    let mut vocab = vec![json!(["[PAD]", 0.0]), json!(["[CLS]", 0.0]), json!(["[SEP]", 0.0]), json!(["[UNK]", 0.0])];
    vocab.push(json!(["▁", -2.5]));
    vocab.extend(('!'..='~').map(|c| json!([c.to_string(), -5.0])));
    vocab.extend(["▁the", "▁The", "▁Minister", "▁talks", "ing", "▁peace"].map(|p| json!([p, -6.0])));
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": specials(&[(0, "[PAD]"), (1, "[CLS]"), (2, "[SEP]"), (3, "[UNK]")]),
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Strip", "strip_left": true, "strip_right": true}, {"type": "NFKC"}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
        "post_processor": template("[CLS]", &json!(1), "[SEP]", &json!(2)),
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
        "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": false, "vocab": vocab}
    })
}

fn specials(tokens: &[(u32, &str)]) -> Value {
    let token = |(id, content): &(u32, &str)| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    tokens.iter().map(token).collect()
}

fn template(cls: &str, cls_id: &Value, sep: &str, sep_id: &Value) -> Value {
    let special = |id: &str, type_id: u32| json!({"SpecialToken": {"id": id, "type_id": type_id}});
    let text = |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    json!({
        "type": "TemplateProcessing",
        "single": [special(cls, 0), text("A", 0), special(sep, 0)],
        "pair": [special(cls, 0), text("A", 0), special(sep, 0), text("B", 1), special(sep, 1)],
        "special_tokens": {
            cls: {"id": cls, "ids": [cls_id], "tokens": [cls]},
            sep: {"id": sep, "ids": [sep_id], "tokens": [sep]}
        }
    })
}
