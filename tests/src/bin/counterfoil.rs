//! The whole of Counterfoil as one program; everything is in
//! [`counterfoil_testbed::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    counterfoil_testbed::cli::main(std::env::args_os())
}
