//! The kiosk as a program of its own: a thin shell over [`counterfoil_tui::shell`].

use std::process::ExitCode;

fn main() -> ExitCode {
    counterfoil_tui::shell::kiosk::main(std::env::args_os())
}
