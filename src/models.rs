//! Model folders: where they are, what they hold, and the hash that stands in every record.

use crate::error::{Error, Result};
use crate::record::ModelStamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The files that decide what a model answers, in the order in which they are hashed.
const FILES: [&str; 5] = ["config.json", "tokenizer.json", "model.safetensors", "rust_model.ot", "linker.json"];

/// A model folder and what its configuration says.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// The folder.
    pub folder: PathBuf,
    /// Name and hash.
    pub stamp: ModelStamp,
    /// `bert`, `roberta`, …
    pub architecture: String,
    /// `entities`, `stance`, `quotes`, or the head's class name.
    pub task: String,
    /// Label names.
    pub labels: Vec<String>,
    /// Size of the weight file in bytes.
    pub bytes: u64,
}

/// Where bundled models are looked for, best first: `given`, the variable `DETENTE_MODELS`, beside the program, in the
/// source tree it was built from, and `models` in the current folder.
pub fn search_path(given: Option<&Path>) -> Vec<PathBuf> {
    if let Some(given) = given {
        return vec![given.to_path_buf()];
    }
    if let Some(folder) = std::env::var_os("DETENTE_MODELS") {
        return vec![PathBuf::from(folder)];
    }
    let mut folders = Vec::new();
    if let Some(bin) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        folders.extend(["models", "../share/detente/models", "../../models"].map(|f| bin.join(f)));
    }
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("models"));
    folders.push(PathBuf::from("models"));
    folders
}

/// The folder of the model `name` (`entities`, `stance`, `quotes`); `name` may also be a path to a folder.
///
/// # Errors
/// When no folder of the search path holds it.
pub fn find(name: &str, given: Option<&Path>) -> Result<PathBuf> {
    if Path::new(name).join("config.json").is_file() && name.contains(std::path::MAIN_SEPARATOR) {
        return Ok(PathBuf::from(name));
    }
    let folders = search_path(given);
    folders.iter().map(|f| f.join(name)).find(|f| f.join("config.json").is_file()).ok_or_else(|| {
        let searched: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
        Error::model(format!("there is no model `{name}` in {}", searched.join(", ")))
            .help("name the folder with --models DIR or DETENTE_MODELS; `detente doctor` says what is there")
    })
}

/// The model folders of the search path, sorted by name, each name once.
pub fn list(given: Option<&Path>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in search_path(given) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut models: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.join("config.json").is_file()).collect();
        models.retain(|m| found.iter().all(|f| f.file_name() != m.file_name()));
        found.extend(models);
    }
    found.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    found
}

/// Name and hash of a model folder.
///
/// # Errors
/// When a file of it cannot be read.
pub fn stamp(folder: &Path) -> Result<ModelStamp> {
    let mut hash = Sha256::new();
    for name in FILES {
        let file = folder.join(name);
        if file.is_file() {
            hash.update(name.as_bytes());
            hash_file(&file, &mut hash).map_err(|e| Error::model(e.to_string()).in_file(&file))?;
        }
    }
    let name =
        folder.canonicalize().ok().as_deref().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
    let digest = hex::encode(hash.finalize());
    Ok(ModelStamp {
        name: name.unwrap_or_else(|| folder.display().to_string()),
        hash: digest.chars().take(16).collect(),
    })
}

fn hash_file(file: &Path, hash: &mut Sha256) -> std::io::Result<()> {
    let mut reader = std::fs::File::open(file)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(()),
            count => hash.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// What a folder's configuration says, without loading the weights.
///
/// # Errors
/// When a file is missing or is not what it should be.
pub fn info(folder: &Path) -> Result<ModelInfo> {
    let file = folder.join("config.json");
    let text = std::fs::read_to_string(&file).map_err(|e| Error::model(e.to_string()).in_file(&file))?;
    let config: Value = serde_json::from_str(&text).map_err(|e| Error::model(e.to_string()).in_file(&file))?;
    let text_at = |pointer: &str| config.pointer(pointer).and_then(Value::as_str).map(str::to_string);
    let weights = FILES.iter().skip(2).map(|f| folder.join(f)).find(|f| f.is_file()).ok_or_else(|| {
        Error::model("there is no model.safetensors").in_file(folder).help("copy the whole folder, weights included")
    })?;
    if !folder.join("tokenizer.json").is_file() {
        return Err(Error::model("there is no tokenizer.json")
            .in_file(folder)
            .help("save it with AutoTokenizer.from_pretrained(…).save_pretrained(…)"));
    }
    let labels = config.get("id2label").and_then(Value::as_object);
    Ok(ModelInfo {
        stamp: stamp(folder)?,
        architecture: text_at("/model_type").unwrap_or_else(|| "unknown".into()),
        task: text_at("/detente/task").or_else(|| text_at("/architectures/0")).unwrap_or_else(|| "unknown".into()),
        labels: labels.map(|l| l.values().filter_map(Value::as_str).map(str::to_string).collect()).unwrap_or_default(),
        bytes: std::fs::metadata(&weights).map(|m| m.len()).unwrap_or(0),
        folder: folder.to_path_buf(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        folder
    }

    #[test]
    fn the_hash_changes_with_each_file_that_changes_answers() {
        let files =
            [("config.json", "{}"), ("tokenizer.json", "{}"), ("model.safetensors", "x"), ("README.md", "card")];
        let before = stamp(folder(&files).path()).unwrap().hash;
        for changed in 0..files.len() {
            let mut other = files;
            other[changed].1 = "changed";
            let after = stamp(folder(&other).path()).unwrap().hash;
            assert_eq!(after == before, files[changed].0 == "README.md", "{}", files[changed].0);
        }
    }

    #[test]
    fn a_folder_without_weights_says_so() {
        let error = info(folder(&[("config.json", "{}"), ("tokenizer.json", "{}")]).path()).unwrap_err();
        assert!(error.message.contains("model.safetensors"), "{error}");
    }

    #[test]
    fn a_missing_model_names_the_folders_searched() {
        let error = find("entities", Some(Path::new("/nowhere"))).unwrap_err();
        assert!(error.to_string().contains("/nowhere") && error.exit_code() == 3, "{error}");
    }
}
