//! Reading documents and writing records: one file per format.

pub mod conll;
