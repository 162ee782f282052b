//! The confirm station as a program of its own: a thin shell over
//! [`counterfoil_tui::shell`].

use std::process::ExitCode;

fn main() -> ExitCode {
    counterfoil_tui::shell::teller::main(std::env::args_os())
}
