//! The device command line; everything is in [`counterfoil_devices::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    counterfoil_devices::cli::main(std::env::args_os())
}
