//! Paragraphs, sentences and words as byte spans of the text.
