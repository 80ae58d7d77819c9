//! Experiments that can be repeated: cross-validation, repeated seeds, grids of settings and learning curves.
//!
//! An experiment is a TOML file ([`spec`]): data, protocol and named settings. [`plan`] turns it into runs, one for each
//! setting, seed, fold and training size; [`run`] makes one and leaves a folder with everything that is needed to
//! understand and to repeat it; [`summary`] makes the report of all runs of an experiment; `mlflow` writes the same
//! figures in the layout that MLflow's file store reads.

pub mod data;
pub mod folds;
mod mlflow;
mod model;
pub mod plan;
pub mod run;
mod scores;
pub mod spec;
pub mod summary;

pub use run::Told;
