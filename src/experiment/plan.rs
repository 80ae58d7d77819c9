//! The runs of an experiment.

use super::spec::{Experiment, ModelKind, Setting};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which of the runs of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Seed.
    pub seed: u64,
    /// Fold that is scored, from 1; none without folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// Training rows; all when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
}

/// One run: a setting, and which part of the protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The setting.
    pub setting: Setting,
    /// The part.
    pub part: Part,
}

impl Run {
    /// Its folder under the experiment's, such as `bag-of-words/seed-1-fold-2-size-400`.
    pub fn folder(&self) -> PathBuf {
        let mut name = format!("seed-{}", self.part.seed);
        let parts = [("fold", self.part.fold), ("size", self.part.size)];
        parts.iter().filter_map(|(what, n)| Some((what, (*n)?))).for_each(|(what, n)| name += &format!("-{what}-{n}"));
        PathBuf::from(slug(&self.setting.name)).join(name)
    }
}

/// A name as part of a path: letters, digits, dots and hyphens.
pub fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '.' { c } else { '-' };
    let slug: String = name.to_lowercase().chars().map(plain).collect();
    let parts: Vec<&str> = slug.split('-').filter(|part| !part.trim_matches('.').is_empty()).collect();
    if parts.is_empty() { "unnamed".into() } else { parts.join("-") }
}

/// All runs, setting by setting: seeds, folds, then sizes from the smallest to all rows. What no seed could change is
/// made once.
///
/// # Errors
/// As [`Experiment::settings`].
pub fn runs(experiment: &Experiment) -> Result<Vec<Run>> {
    let protocol = &experiment.protocol;
    let folds: Vec<Option<usize>> = protocol.folds.map_or_else(|| vec![None], |folds| (1..=folds).map(Some).collect());
    let mut sizes: Vec<Option<usize>> = protocol.sizes.iter().copied().map(Some).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes.push(None);
    let mut runs = Vec::new();
    for setting in experiment.settings()? {
        for (at, &seed) in protocol.seeds.iter().enumerate() {
            for &fold in &folds {
                let part = |size: &Option<usize>| Part { seed, fold, size: *size };
                let parts = sizes.iter().map(part);
                // On the same rows a bag of words comes out the same under every seed.
                let again = |part: &Part| {
                    at > 0 && setting.model == ModelKind::BagOfWords && part.fold.is_none() && part.size.is_none()
                };
                runs.extend(parts.filter(|part| !again(part)).map(|part| Run { setting: setting.clone(), part }));
            }
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_name_stays_one_folder_whatever_it_holds() {
        for (name, expected) in [
            ("MiniLM, epochs 4, learning_rate 3e-5", "minilm-epochs-4-learning-rate-3e-5"),
            ("../../etc", "etc"),
            ("..", "unnamed"),
            ("a/b\\c", "a-b-c"),
        ] {
            assert_eq!(slug(name), expected);
        }
    }
}
