//! A model that is missing or broken ends the program with exit code 3 and a sentence that names the file and the way out,
//! before a document is read and without an output file.
#![cfg(feature = "libtorch")]

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};

/// What is wrong with one file of a model's folder, and what the user reads.
struct Fault {
    command: &'static str,
    model: &'static str,
    file: &'static str,
    /// What stands in the file; nothing: it is not there.
    content: Option<Vec<u8>>,
    told: &'static [&'static str],
}

fn bundled(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model)
}

fn faults() -> Vec<Fault> {
    let fault = |command, model, file, content: Option<&[u8]>, told| Fault {
        command,
        model,
        file,
        content: content.map(<[u8]>::to_vec),
        told,
    };
    let weights = fs::read(bundled("entities").join("model.safetensors")).unwrap();
    let config = fs::read_to_string(bundled("entities").join("config.json")).unwrap();
    let other = config.replace("\"bert\"", "\"electra\"");
    let wider = config.replace("\"hidden_size\": 384", "\"hidden_size\": 768");
    vec![
        fault("quotes", "quotes", "linker.json", None, &["linker.json", "no linker", "detente train linker"]),
        fault("quotes", "quotes", "linker.json", Some(b"{}"), &["linker.json", "is no linker", "detente train linker"]),
        fault("classify", "quotes", "linker.json", None, &["linker.json", "detente train linker"]),
        fault("classify", "stance", "model.safetensors", None, &["stance", "model.safetensors"]),
        fault("entities", "entities", "config.json", None, &["no model `entities`", "detente doctor"]),
        fault("entities", "entities", "config.json", Some(b"{\"model_type\": "), &["config.json"]),
        fault("entities", "entities", "config.json", Some(other.as_bytes()), &["config.json", "electra"]),
        fault("entities", "entities", "config.json", Some(wider.as_bytes()), &["entities"]),
        fault("entities", "entities", "model.safetensors", weights.get(..weights.len() / 2), &["model.safetensors"]),
        fault("entities", "entities", "model.safetensors", Some(b""), &["model.safetensors"]),
        fault("entities", "entities", "tokenizer.json", None, &["tokenizer.json"]),
        fault("entities", "entities", "tokenizer.json", Some(b"[]"), &["tokenizer.json"]),
    ]
}

/// The bundled models as links, with one file broken.
fn models_with(fault: &Fault) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for model in ["entities", "quotes", "stance"] {
        let own = folder.path().join(model);
        fs::create_dir(&own).unwrap();
        for file in fs::read_dir(bundled(model)).unwrap().flatten() {
            if model != fault.model || file.file_name() != fault.file {
                std::os::unix::fs::symlink(file.path(), own.join(file.file_name())).unwrap();
            }
        }
    }
    if let Some(content) = &fault.content {
        fs::write(folder.path().join(fault.model).join(fault.file), content).unwrap();
    }
    folder
}

fn run(arguments: &[&str], output: &Path) -> (Option<i32>, String) {
    let mut command = Command::cargo_bin("detente").expect("the binary is built by the test run");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).arg("datasets/demo").arg("--output").arg(output);
    let done = command.output().unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn a_broken_model_is_told_by_file_and_nothing_is_written() {
    for fault in faults() {
        let models = models_with(&fault);
        let output = models.path().join("records.jsonl");
        let (code, errors) = run(&[fault.command, "--models", models.path().to_str().unwrap()], &output);
        let what = format!("{} with {} of {}:\n{errors}", fault.command, fault.file, fault.model);
        assert_eq!(code, Some(3), "{what}");
        assert!(errors.starts_with("error: "), "{what}");
        assert!(fault.told.iter().all(|words| errors.contains(words)), "{:?} in {what}", fault.told);
        assert!(!errors.contains("panicked"), "{what}");
        let left: Vec<_> = fs::read_dir(models.path()).unwrap().flatten().filter(|e| e.path().is_file()).collect();
        assert!(left.is_empty(), "{left:?} left by {what}");
    }
}

#[test]
fn models_that_are_nowhere_and_devices_that_are_not_there_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("records.jsonl");
    let (code, errors) = run(&["classify", "--models", folder.path().to_str().unwrap()], &output);
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains("entities"), "{errors}");
    let (code, errors) = run(&["entities", "--device", "cuda:63"], &output);
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains("cuda:63"), "{errors}");
    assert!(!output.exists());
}
