//! What the command says of itself, and how it refuses what it does not know.

use assert_cmd::Command;
use predicates::str::contains;

fn detente() -> Command {
    Command::cargo_bin("detente").expect("the binary is built by the test run")
}

#[test]
fn help_lists_the_exit_codes() {
    detente().arg("--help").assert().success().stdout(contains("Exit codes: 0 all done"));
}

#[test]
fn version_is_the_packages() {
    detente().arg("--version").assert().success().stdout(format!("detente {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_command_is_wrong_usage() {
    detente().arg("clasify").assert().code(2).stderr(contains("clasify"));
}
