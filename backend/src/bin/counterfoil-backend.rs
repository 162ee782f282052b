//! The backend as a program of its own: a thin shell over [`counterfoil_backend::app`].

use std::process::ExitCode;

fn main() -> ExitCode {
    counterfoil_backend::app::main(std::env::args_os())
}
