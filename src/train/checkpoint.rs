//! Where a run was interrupted: weights, moments and place, written whole or not at all.

use super::optimizer::AdamW;
use super::rounding::Rounding;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Place in the run and what was best so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Hash of settings and data; another one cannot go on from here.
    pub(crate) fingerprint: String,
    /// Epochs finished.
    pub(crate) epochs: usize,
    /// Optimizer steps taken.
    pub(crate) steps: i64,
    /// Score on dev after each epoch.
    pub(crate) scores: Vec<f64>,
    /// What storing the best epoch's weights as f16 cost.
    #[serde(default)]
    pub(crate) rounding: Option<Rounding>,
}

/// The two files of a checkpoint.
pub(crate) struct Checkpoint {
    folder: PathBuf,
}

impl Checkpoint {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Checkpoint { folder: folder.to_path_buf() }
    }

    /// The progress of an unfinished run, if there is one.
    ///
    /// # Errors
    /// When there is one of other settings or data.
    pub(crate) fn progress(&self, fingerprint: &str) -> Result<Option<Progress>> {
        let Ok(text) = std::fs::read_to_string(self.folder.join("progress.json")) else { return Ok(None) };
        let progress: Progress = serde_json::from_str(&text).map_err(|e| self.error(e.to_string()))?;
        if progress.fingerprint != fingerprint {
            return Err(self.error("an unfinished run with other settings or data is there"));
        }
        Ok(Some(progress))
    }

    pub(crate) fn save(&self, optimizer: &AdamW, progress: &Progress) -> Result<()> {
        std::fs::create_dir_all(&self.folder).map_err(|e| self.error(e.to_string()))?;
        let tensors: Vec<(String, Tensor)> = optimizer
            .slots
            .iter()
            .flat_map(|s| {
                let tensors = [
                    ("master", &s.master),
                    ("first", &s.first_moment),
                    ("second", &s.second_moment),
                    ("average", &s.average),
                ];
                tensors.map(|(kind, t)| (format!("{kind}/{}", s.name), t.shallow_clone()))
            })
            .collect();
        let weights = self.folder.join(format!("weights-{}.safetensors", progress.epochs));
        Tensor::write_safetensors(&tensors, &weights).map_err(|e| self.error(e.to_string()))?;
        let text = serde_json::to_string_pretty(progress).map_err(|e| self.error(e.to_string()))?;
        let next = self.folder.join("progress.json.next");
        std::fs::write(&next, text).map_err(|e| self.error(e.to_string()))?;
        // The new progress file is what makes the new weights count; only then do the old ones go.
        std::fs::rename(&next, self.folder.join("progress.json")).map_err(|e| self.error(e.to_string()))?;
        if let Some(before) = progress.epochs.checked_sub(1) {
            let _ = std::fs::remove_file(self.folder.join(format!("weights-{before}.safetensors")));
        }
        Ok(())
    }

    pub(crate) fn restore(&self, optimizer: &mut AdamW, progress: &Progress) -> Result<()> {
        let file = self.folder.join(format!("weights-{}.safetensors", progress.epochs));
        let tensors: std::collections::HashMap<String, Tensor> =
            Tensor::read_safetensors(&file).map_err(|e| self.error(e.to_string()))?.into_iter().collect();
        tch::no_grad(|| {
            for slot in &mut optimizer.slots {
                let name = slot.name.clone();
                let find = |kind: &str| {
                    tensors.get(&format!("{kind}/{name}")).ok_or_else(|| self.error(format!("`{name}` is missing")))
                };
                slot.master.copy_(find("master")?);
                slot.first_moment.copy_(find("first")?);
                slot.second_moment.copy_(find("second")?);
                slot.average.copy_(find("average")?);
            }
            optimizer.steps = progress.steps;
            optimizer.show_master();
            Ok(())
        })
    }

    /// Removes the checkpoint of a finished run.
    pub(crate) fn clear(&self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::usage(message).in_file(&self.folder).help("remove the folder to start again")
    }
}
