//! The `detente` command: parse, one match over the commands, exit code.

mod cli;

use clap::Parser;
use detente::error::{Error, ErrorKind};
use detente::pipeline::stream::THREAD_NAME;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    quiet_workers();
    match cli::Cli::parse().command.run() {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            tell(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// A panic on a worker becomes an error record, which says all there is to say.
fn quiet_workers() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(THREAD_NAME) {
            usual(panic);
        }
    }));
}

/// Says on standard error what went wrong, and below it the way out; a closed pipe has nobody left to tell.
fn tell(error: &Error) {
    if error.kind == ErrorKind::ClosedPipe {
        return;
    }
    let (red, cyan) = (anstyle::AnsiColor::Red.on_default().bold(), anstyle::AnsiColor::Cyan.on_default());
    let mut terminal = anstream::stderr();
    // Standard error may be closed too; there is no third place.
    let _ = writeln!(terminal, "{red}error:{red:#} {}", error.without_help());
    if let Some(help) = &error.help {
        let _ = writeln!(terminal, "{cyan}help:{cyan:#} {help}");
    }
}
