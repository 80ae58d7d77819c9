//! `detente doctor`: what is there, what is missing, and the command that mends it.

use super::Outcome;
use clap::Args;
use detente::error::Result;
use detente::models;
use std::path::PathBuf;

/// Prints versions, engine, devices, threads and models, and for all that is missing the command that mends it.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Folder that holds the model folders
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
}

/// The models that `classify` uses.
const NEEDED: [&str; 2] = ["entities", "stance"];

impl DoctorArgs {
    /// Prints the report; [`Outcome::SomeFailed`] when something is missing.
    ///
    /// # Errors
    /// Never so far; what is missing is part of the report.
    pub fn run(self) -> Result<Outcome> {
        let mut report = Report { faults: 0 };
        report.fact("detente", &format!("{} ({})", env!("CARGO_PKG_VERSION"), commit()));
        report.fact("system", &format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
        report.fact("threads", &std::thread::available_parallelism().map_or("unknown".into(), |n| n.to_string()));
        report.engine();
        report.models(self.models.as_deref());
        if report.faults == 0 {
            println!("\nEverything is there.");
            return Ok(Outcome::Done);
        }
        println!("\n{} to mend, see the lines marked ✗.", report.faults);
        Ok(Outcome::SomeFailed)
    }
}

fn commit() -> &'static str {
    option_env!("DETENTE_COMMIT").unwrap_or("commit unknown")
}

struct Report {
    faults: usize,
}

impl Report {
    fn fact(&self, name: &str, value: &str) {
        println!("✓ {name:<10} {value}");
    }

    fn fault(&mut self, name: &str, value: &str, mend: &str) {
        self.faults += 1;
        println!("✗ {name:<10} {value}\n{:<12} mend it with: {mend}", "");
    }

    #[cfg(feature = "libtorch")]
    fn engine(&self) {
        use detente::encoder::rust_bert::device::Engine;
        let engine = Engine::detect();
        self.fact("engine", &format!("libtorch {} through rust-bert {}", engine.libtorch, engine.rust_bert));
        self.fact("kernels", &engine.kernels.join(", "));
        match engine.cuda_devices {
            0 => self.fact("device", "cpu (no CUDA device seen; for one: `make setup SETUP=--cuda && make build`)"),
            count => self.fact("device", &format!("cuda:0 of {count}, cpu")),
        }
        self.fact("bf16", engine.bf16);
    }

    #[cfg(not(feature = "libtorch"))]
    fn engine(&mut self) {
        self.fault("engine", "this build has none", "make build");
    }

    fn models(&mut self, given: Option<&std::path::Path>) {
        for folder in models::list(given) {
            match models::info(&folder) {
                Ok(info) => {
                    self.fact("model", &format!("{} {} {}", info.stamp.name, info.stamp.hash, folder.display()));
                }
                Err(error) => self.fault("model", &error.to_string(), "git checkout -- models"),
            }
        }
        for name in NEEDED {
            if let Err(error) = models::find(name, given) {
                self.fault("model", &error.message, "git checkout -- models, or name their folder with --models DIR");
            }
        }
    }
}
