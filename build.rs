//! Makes what cargo links run from where it lies, and says in a sentence when libtorch is missing, of another version or of
//! another C++ ABI, before the engine's own build fails over pages. Also records the git commit, for `doctor` and run records.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What every sentence about a missing libtorch ends with.
const WAY_OUT: &str = "Run `make setup`, which fetches libtorch 2.4.0, or set LIBTORCH to the folder of one that you have; \
                       `cargo build --no-default-features` builds without the engine.";

fn main() {
    println!("cargo::rustc-env=DETENTE_COMMIT={}", commit().unwrap_or_else(|| "unknown".into()));
    println!("cargo::rerun-if-env-changed=DOCS_RS");
    if env::var_os("CARGO_FEATURE_LIBTORCH").is_none() || env::var_os("DOCS_RS").is_some() {
        return;
    }
    match find_libtorch() {
        Ok(lib) => link(&lib),
        Err(sentence) => println!("cargo::error={sentence}"),
    }
}

/// An environment variable that decides about the build; an empty one counts as unset.
fn setting(name: &str) -> Option<String> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn package_dir() -> PathBuf {
    PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"))
}

/// The folder with libtorch's libraries, once it is certain that the build can use them.
fn find_libtorch() -> Result<PathBuf, String> {
    let from_python = setting("LIBTORCH_USE_PYTORCH").is_some();
    let root = if from_python { pytorch_dir()? } else { libtorch_dir()? };
    let (include, lib) = match (from_python, setting("LIBTORCH_INCLUDE"), setting("LIBTORCH_LIB")) {
        (false, include, lib) => (include.map_or(root.clone(), PathBuf::from), lib.map_or(root.clone(), PathBuf::from)),
        (true, ..) => (root.clone(), root.clone()),
    };
    let lib = lib.join("lib");
    // Cargo takes a missing file for a changed one, so only what exists is watched.
    for path in [&root.join("setup.json"), &lib].into_iter().filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    if !["libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.lib"].iter().any(|name| lib.join(name).exists()) {
        return Err(format!("libtorch 2.4 is not at {}. {WAY_OUT}", root.display()));
    }
    let bypass = setting("LIBTORCH_BYPASS_VERSION_CHECK").is_some();
    match version(&root, &include) {
        None => return Err(format!("{} holds libraries of libtorch but not its headers. {WAY_OUT}", root.display())),
        Some(version) if version.starts_with("2.4.0") || bypass => {}
        Some(version) if version.starts_with("2.4.") => {
            return Err(format!(
                "{} holds libtorch {version}, near to the 2.4.0 that this program was made for: set \
                 LIBTORCH_BYPASS_VERSION_CHECK=1 to try it. {WAY_OUT}",
                root.display()
            ));
        }
        Some(version) => {
            return Err(format!(
                "{} holds libtorch {version}, and this program needs 2.4.0. {WAY_OUT}",
                root.display()
            ));
        }
    }
    let wanted = setting("LIBTORCH_CXX11_ABI").unwrap_or_else(|| "1".into());
    match cxx11_abi(&root) {
        Some(abi) if !from_python && abi != wanted && env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") => {
            Err(format!(
                "The libtorch at {} was compiled with _GLIBCXX_USE_CXX11_ABI={abi}, and the build is set to {wanted}: set \
             LIBTORCH_CXX11_ABI={abi} in the environment and build again.",
                root.display()
            ))
        }
        _ => Ok(lib),
    }
}

/// Where LIBTORCH points; `.cargo/config.toml` sets it for whoever did not.
fn libtorch_dir() -> Result<PathBuf, String> {
    let Some(root) = setting("LIBTORCH").map(PathBuf::from) else {
        // The one place where the engine's build looks without being told.
        return if Path::new("/usr/lib/libtorch.so").exists() {
            Ok("/usr".into())
        } else {
            Err(format!("LIBTORCH is not set, so there is no libtorch 2.4 to build with. {WAY_OUT}"))
        };
    };
    if root.is_relative() {
        return Err(format!("LIBTORCH is the relative path {}, and must be an absolute one.", root.display()));
    }
    Ok(root)
}

/// The folder of the PyTorch that the engine's build takes when LIBTORCH_USE_PYTORCH is set.
fn pytorch_dir() -> Result<PathBuf, String> {
    let python = if env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
    output(Command::new(python).args(["-c", "import os, torch; print(os.path.dirname(torch.__file__))"]))
        .map(PathBuf::from)
        .ok_or_else(|| format!("LIBTORCH_USE_PYTORCH is set, but `{python} -c \"import torch\"` fails. {WAY_OUT}"))
}

fn version(root: &Path, include: &Path) -> Option<String> {
    if let Ok(version) = fs::read_to_string(root.join("build-version")) {
        return Some(version.trim().to_owned());
    }
    let header = fs::read_to_string(include.join("include/torch/csrc/api/include/torch/version.h")).ok()?;
    let part = |name: &str| {
        header.lines().find_map(|line| Some(line.strip_prefix(&format!("#define TORCH_VERSION_{name} "))?.trim()))
    };
    Some(format!("{}.{}.{}", part("MAJOR")?, part("MINOR")?, part("PATCH")?))
}

/// "0" or "1", as libtorch's own CMake file says; none where it does not matter or is not told.
fn cxx11_abi(root: &Path) -> Option<String> {
    let cmake = fs::read_to_string(root.join("share/cmake/Torch/TorchConfig.cmake")).ok()?;
    let (_, after) = cmake.split_once("_GLIBCXX_USE_CXX11_ABI=")?;
    after.chars().next().filter(|digit| digit.is_ascii_digit()).map(String::from)
}

fn link(lib: &Path) {
    let os = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets CARGO_CFG_TARGET_OS");
    let origin = match os.as_str() {
        "linux" => "$ORIGIN",
        "macos" => "@loader_path",
        _ => return,
    };
    if os == "linux" {
        // RPATH rather than RUNPATH: another libtorch in LD_LIBRARY_PATH must not take the place of this one.
        arg("-Wl,--disable-new-dtags");
    }
    arg(&format!("-Wl,-rpath,{}", lib.display()));
    if lib == package_dir().join(".libtorch/lib") {
        // The whole checkout may move: from target/release, then from target/release/deps and target/release/examples.
        arg(&format!("-Wl,-rpath,{origin}/../../.libtorch/lib"));
        arg(&format!("-Wl,-rpath,{origin}/../../../.libtorch/lib"));
    }
    // A package may carry its libraries beside the program.
    arg(&format!("-Wl,-rpath,{origin}/../lib/detente"));
    if os == "linux" {
        // GNU ld looks here for what libtorch's libraries need in their turn.
        for folder in neighbours(lib) {
            arg(&format!("-Wl,-rpath-link,{}", folder.display()));
        }
        if lib.join("libtorch_cuda.so").exists() {
            // Nothing calls into it by name, and without it loaded there is no GPU.
            for flag in ["-Wl,--no-as-needed", "-ltorch_cuda", "-Wl,--as-needed"] {
                arg(flag);
            }
        }
    }
    search_in_out_dir(lib);
}

fn arg(flag: &str) {
    println!("cargo::rustc-link-arg={flag}");
}

/// The folders of other packages' libraries, in the places that Python's wheels have them in.
fn neighbours(lib: &Path) -> Vec<PathBuf> {
    let Some(site) = lib.canonicalize().ok().and_then(|lib| Some(lib.parent()?.parent()?.to_owned())) else {
        return Vec::new();
    };
    let nvidia =
        fs::read_dir(site.join("nvidia")).into_iter().flatten().flatten().map(|entry| entry.path().join("lib"));
    nvidia.chain([site.join("torch.libs")]).filter(|folder| folder.is_dir()).collect()
}

/// Link arguments do not reach the examples in the documentation, but cargo lets their search path hold what lies in OUT_DIR.
#[cfg(unix)]
fn search_in_out_dir(lib: &Path) {
    let alias = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("lib");
    let _ = fs::remove_file(&alias);
    if std::os::unix::fs::symlink(lib, &alias).is_ok() {
        println!("cargo::rustc-link-search=native={}", alias.display());
    }
}

#[cfg(not(unix))]
fn search_in_out_dir(_: &Path) {}

/// The commit of this checkout; none where the sources came without git.
fn commit() -> Option<String> {
    let package = package_dir();
    let git = |arguments: &[&str]| output(Command::new("git").arg("-C").arg(&package).args(arguments));
    // A copy of the sources inside somebody else's repository has no commit of its own.
    if Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()? != package.canonicalize().ok()? {
        return None;
    }
    for name in ["HEAD", "logs/HEAD", "packed-refs"] {
        let path = package.join(git(&["rev-parse", "--git-path", name])?);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    git(&["rev-parse", "HEAD"])
}

/// What a command prints, when it succeeds and prints something.
fn output(command: &mut Command) -> Option<String> {
    let done = command.output().ok().filter(|done| done.status.success())?;
    Some(String::from_utf8(done.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}
